// A process whose threads allocate all the time forks; each child allocates, frees what it inherited, and has threads.
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, SHARED = 4096, FORKS = 120 };

static _Atomic(unsigned char *) shared[SHARED];
static atomic_int stop;

static size_t size_of_turn(unsigned turn) {
    static const size_t sizes[] = {16, 40, 100, 700, 5000, 60000, 200000, 300000};
    return sizes[turn % 8];
}

// Swaps blocks with the table, so that most are freed by another thread than the one that took them.
static void churn(unsigned turns, unsigned seed) {
    for (unsigned turn = 0; turn < turns; turn++) {
        seed = seed * 1103515245 + 12345;
        size_t size = size_of_turn(seed >> 20);
        unsigned char *block = malloc(size);
        if (!block) _exit(3);
        block[0] = block[size - 1] = (unsigned char)(seed >> 20);
        // Large blocks stay few.
        unsigned place = size > 5000 ? (seed >> 8) % 16 : (seed >> 8) % SHARED;
        block = atomic_exchange(&shared[place], block);
        if (block && (seed & 1 << 30)) block = realloc(block, size_of_turn(seed >> 13));
        free(block);
    }
}

static void *worker(void *seed) {
    unsigned number = (unsigned)(uintptr_t)seed;
    while (!atomic_load(&stop)) churn(100, number++ * 7919);
    return NULL;
}

static void *childs_thread(void *seed) {
    churn(300, (unsigned)(uintptr_t)seed);
    return NULL;
}

static void in_child(unsigned number) {
    alarm(60); // what waits for ever is killed, and fails
    churn(500, number);
    for (int i = 0; i < SHARED; i++) free(atomic_exchange(&shared[i], NULL));
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, childs_thread, (void *)(uintptr_t)(number + i))) _exit(4);
    churn(300, number + 5);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    if (number % 10 == 0) { // and its child, too
        pid_t pid = fork();
        if (pid == 0) churn(300, number), _exit(0);
        int status = 0;
        if (waitpid(pid, &status, 0) != pid || status != 0) _exit(5);
    }
    malloc_trim(0);
    _exit(0);
}

int main(void) {
    check_preloaded();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, worker, (void *)(uintptr_t)i) == 0);
    for (unsigned number = 0; number < FORKS && !failures; number++) {
        pid_t pid = fork();
        if (pid == 0) in_child(number);
        int status = 0;
        CHECK(waitpid(pid, &status, 0) == pid);
        if (status != 0) printf("child %u ended with status %#x\n", number, status);
        CHECK(status == 0);
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    return report();
}
