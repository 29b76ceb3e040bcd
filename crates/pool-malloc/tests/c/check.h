// What the test programs share: a check that says what does not hold and goes on, and the first check of all.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(holds) \
    do { if (!(holds)) { failures++; printf("line %d: %s\n", __LINE__, #holds); } } while (0)

// All functions of the family must come from the library, or blocks of one allocator reach another.
static inline void check_preloaded(void) {
    static const char *const family[] = {
        "malloc", "free", "calloc", "realloc", "reallocarray", "aligned_alloc", "posix_memalign", "memalign",
        "valloc", "pvalloc", "malloc_usable_size", "malloc_trim",
    };
    for (size_t i = 0; i < sizeof family / sizeof *family; i++) {
        Dl_info info;
        void *function = dlsym(RTLD_DEFAULT, family[i]);
        if (!function || !dladdr(function, &info) || !strstr(info.dli_fname, "libpool_malloc")) {
            failures++;
            printf("not preloaded: %s\n", family[i]);
        }
    }
}

static inline int report(void) {
    fflush(stdout);
    return failures != 0;
}
