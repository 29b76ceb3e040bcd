// Threads end while destructors of thread-specific data free and allocate, before and after the allocator's own, in
// every round that the system grants; then the C library frees what it had for the thread. Nothing may be lost.
#include "check.h"

#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <unistd.h>

enum { KEYS = 40, THREADS = 2000 };

static pthread_key_t keys[KEYS];

// Takes another block for the next round.
static void again(void *block) {
    unsigned char *bytes = block;
    CHECK(bytes[0] == 9);
    int key = bytes[1], round = bytes[2];
    free(block);
    unsigned char *next = round % 2 ? calloc(1, 300000 / (key + 1)) : malloc(20 + key * 100);
    CHECK(next);
    if (round + 1 >= PTHREAD_DESTRUCTOR_ITERATIONS) return free(next);
    next[0] = 9, next[1] = (unsigned char)key, next[2] = (unsigned char)(round + 1);
    pthread_setspecific(keys[key], next);
}

static void *thread(void *inherited) {
    free(inherited);
    for (int key = 0; key < KEYS; key++) {
        unsigned char *block = calloc(1, 50 + key);
        block[0] = 9, block[1] = (unsigned char)key;
        CHECK(pthread_setspecific(keys[key], block) == 0);
    }
    // What the C library keeps for the thread and frees after all destructors.
    CHECK(dlopen("/nonexistent.so", RTLD_NOW) == NULL);
    CHECK(strerror(4711) != NULL);
    return malloc(30);
}

static long mapped_kib(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%ld", &pages) == 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void run(int count) {
    for (int i = 0; i < count; i++) {
        pthread_t id;
        void *result = NULL;
        CHECK(pthread_create(&id, NULL, thread, malloc(40)) == 0);
        CHECK(pthread_join(id, &result) == 0 && result);
        free(result);
    }
}

int main(void) {
    check_preloaded();
    for (int key = 0; key < KEYS; key++) CHECK(pthread_key_create(&keys[key], again) == 0);
    run(50);
    long before = mapped_kib();
    run(THREADS);
    long grown = mapped_kib() - before;
    if (grown >= 8192) printf("grown by %ld KiB\n", grown);
    CHECK(grown < 8192);
    return report();
}
