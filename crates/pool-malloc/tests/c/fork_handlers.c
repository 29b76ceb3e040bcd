// A process whose first block of all would be one for a handler of forks, of which glibc has room for 48: it forks.
#include "check.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HANDLERS = 100 };

static int called;

static void count(void) { called++; }

int main(void) {
    alarm(60);
    for (int i = 0; i < HANDLERS; i++) CHECK(pthread_atfork(count, count, count) == 0);
    check_preloaded();
    pid_t child = fork();
    if (!child) {
        free(malloc(100));
        free(malloc(1 << 20));
        _exit(called == 2 * HANDLERS ? 0 : 4);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(called == 2 * HANDLERS);
    return report();
}
