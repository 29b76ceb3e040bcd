// Runs into a limit of the address space: null and ENOMEM, and what was freed can be had again.
#include "check.h"

#include <sys/resource.h>
#include <unistd.h>

static void *held[2000000];

static int fill(size_t size) {
    int count = 0;
    errno = 0;
    while (count < 2000000 && (held[count] = malloc(size))) memset(held[count++], 1, size < 64 ? size : 64);
    CHECK(held[count] == NULL && errno == ENOMEM);
    return count;
}

int main(void) {
    check_preloaded();
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%ld", &pages) == 1);
    fclose(file);
    struct rlimit limit;
    limit.rlim_cur = limit.rlim_max = (rlim_t)pages * sysconf(_SC_PAGESIZE) + (64 << 20);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    const size_t sizes[] = {100, 5000, 100000, 300000, 3000000};
    for (int i = 0; i < 5; i++) {
        int count = fill(sizes[i]);
        if (count * sizes[i] < 32 << 20) printf("only %d of %zu bytes\n", count, sizes[i]);
        CHECK(count * sizes[i] >= 32 << 20);
        unsigned char *first = held[0];
        CHECK(realloc(first, 100 << 20) == NULL && errno == ENOMEM && first[0] == 1 && first[63] == 1);
        void *out = NULL;
        CHECK(posix_memalign(&out, 1 << 20, 50 << 20) == ENOMEM && out == NULL);
        CHECK(calloc(100 << 20, 1) == NULL && errno == ENOMEM);
        for (int j = count / 2; j < count; j++) free(held[j]);
        for (int j = count / 2; j < count; j++) CHECK(held[j] = malloc(sizes[i]));
        for (int j = 0; j < count; j++) free(held[j]);
    }
    return report();
}
