// What C, POSIX and glibc's manual say of each function, at its corners.
#include "check.h"

#include <pthread.h>
#include <unistd.h>

#define ALIGNED(p, a) ((uintptr_t)(p) % (a) == 0)

// Not known to the compiler, so that it cannot judge a call by its arguments.
static volatile size_t zero = 0, huge = SIZE_MAX;

static int is_filled(const unsigned char *p, size_t n, unsigned char with) {
    for (size_t i = 0; i < n; i++)
        if (p[i] != with) return 0;
    return 1;
}

static void zero_sizes(void) {
    void *a = malloc(zero), *b = malloc(zero), *c = calloc(zero, 8), *d = calloc(8, zero);
    CHECK(a && b && c && d && a != b && c != d);
    free(a), free(b), free(c), free(d);
    free(NULL);
    CHECK(malloc_usable_size(NULL) == 0);
    void *e = realloc(NULL, zero);
    CHECK(e != NULL);
    CHECK(realloc(e, zero) == NULL);
    void *f = NULL;
    CHECK(posix_memalign(&f, 64, zero) == 0 && f && ALIGNED(f, 64));
    free(f);
}

static void refuses(void *result) {
    CHECK(result == NULL);
    CHECK(errno == ENOMEM);
    errno = 0;
}

static void impossible_sizes(void) {
    unsigned char *block = malloc(100);
    memset(block, 7, 100);
    const size_t sizes[] = {huge, huge - 1, huge - 15, huge - 4095, huge - 8192, huge / 2 + 1, huge / 2,
                            huge / 2 - 4095, huge / 2 - (4 << 20), (size_t)1 << 62, (size_t)1 << 48};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        errno = 0;
        refuses(malloc(sizes[i]));
        refuses(calloc(sizes[i], 1));
        refuses(calloc(1, sizes[i]));
        refuses(realloc(block, sizes[i]));
        refuses(realloc(NULL, sizes[i]));
        refuses(reallocarray(block, sizes[i], 1));
        refuses(memalign(64, sizes[i]));
        refuses(aligned_alloc(4096, sizes[i]));
        refuses(aligned_alloc((size_t)1 << 30, sizes[i]));
        refuses(valloc(sizes[i]));
        refuses(pvalloc(sizes[i]));
        void *untouched = block;
        CHECK(posix_memalign(&untouched, 64, sizes[i]) == ENOMEM);
        CHECK(untouched == block && errno == 0);
    }
    refuses(calloc(huge / 2 + 1, 2));
    refuses(calloc((size_t)1 << 33, (size_t)1 << 33));
    refuses(reallocarray(block, (size_t)1 << 33, (size_t)1 << 33));
    refuses(reallocarray(NULL, huge, 2));
    refuses(aligned_alloc((size_t)1 << 62, 1));
    refuses(aligned_alloc((size_t)1 << 63, 1));
    CHECK(is_filled(block, 100, 7));
    free(block);
}

static void odd_alignments(void) {
    void *untouched = &untouched;
    const size_t wrong[] = {0, 1, 2, 4, 3, 9, 24, 48, huge};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        errno = 0;
        CHECK(posix_memalign(&untouched, wrong[i], 8) == EINVAL);
        CHECK(untouched == &untouched && errno == 0);
    }
    errno = 0;
    CHECK(aligned_alloc(24, 48) == NULL && errno == EINVAL);
    errno = 0;
    CHECK(aligned_alloc(zero, 48) == NULL && errno == EINVAL);
    errno = 0;
    CHECK(memalign(huge, 1) == NULL && errno == EINVAL);
    void *p = memalign(48, 10); // glibc takes the next power of two
    CHECK(p && ALIGNED(p, 64));
    free(p);
    p = aligned_alloc(64, 10); // the size need not be a multiple
    CHECK(p && ALIGNED(p, 64));
    free(p);
    p = aligned_alloc(1, 10);
    CHECK(p && ALIGNED(p, 16));
    free(p);
}

static void alignments(void) {
    for (size_t align = 8; align <= (size_t)4 << 30; align *= 2) {
        const size_t sizes[] = {0, 1, 100, 5000, 300000, 3000000};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            unsigned char *p = NULL;
            CHECK(posix_memalign((void **)&p, align, sizes[i]) == 0);
            if (!p) continue;
            CHECK(ALIGNED(p, align) && ALIGNED(p, 16));
            CHECK(malloc_usable_size(p) >= sizes[i]);
            memset(p, 5, sizes[i]);
            unsigned char *q = realloc(p, sizes[i] + 700000);
            CHECK(q && is_filled(q, sizes[i], 5));
            unsigned char *beside = aligned_alloc(align, sizes[i]);
            CHECK(beside && ALIGNED(beside, align) && beside != q);
            free(q), free(beside);
        }
    }
    void *p = valloc(10), *q = pvalloc(10), *r = pvalloc(zero);
    size_t page = sysconf(_SC_PAGESIZE);
    CHECK(ALIGNED(p, page) && ALIGNED(q, page) && r && ALIGNED(r, page));
    CHECK(malloc_usable_size(q) >= page);
    free(p), free(q), free(r);
}

// Every size up to a page and some beyond: aligned, usable as a whole, zeroed by calloc though used before.
static void sizes(void) {
    for (size_t size = 0; size < 600000; size += size < 4200 ? 1 : size / 9) {
        unsigned char *p = malloc(size);
        CHECK(p && ALIGNED(p, 16));
        size_t usable = malloc_usable_size(p);
        CHECK(usable >= size);
        memset(p, 0xaa, usable);
        free(p);
        p = calloc(1, size);
        CHECK(p && ALIGNED(p, 16) && is_filled(p, size, 0));
        free(p);
    }
}

// Grows and shrinks across all borders; what both sizes have in common stays.
static void resizing(void) {
    const size_t steps[] = {1, 16, 17, 40, 24, 1000, 8192, 8193, 100000, 262144, 262145, 500000, 2097152, 9000000,
                            30000000, 2097153, 300000, 262144, 70000, 9, 5000000, 1, 262145, 262144, 1};
    unsigned char *p = NULL;
    size_t old = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        p = realloc(p, steps[i]);
        CHECK(p && ALIGNED(p, 16) && malloc_usable_size(p) >= steps[i]);
        CHECK(is_filled(p, old < steps[i] ? old : steps[i], (unsigned char)i));
        memset(p, (int)i + 1, steps[i]);
        old = steps[i];
    }
    free(p);
    // Two large ones that grow in turns cannot both stay where they are.
    unsigned char *a = malloc(300000), *b = malloc(300000);
    for (size_t size = 300000; size < 40000000; size += size / 2) {
        a = realloc(a, size), b = realloc(b, size);
        CHECK(a && b && (size == 300000 || (is_filled(a, size / 2, 1) && is_filled(b, size / 2, 2))));
        memset(a, 1, size), memset(b, 2, size);
    }
    free(a), free(b);
    int *array = reallocarray(NULL, 10, sizeof *array);
    CHECK(array && malloc_usable_size(array) >= 10 * sizeof *array);
    CHECK(reallocarray(array, 0, sizeof *array) == NULL);
}

static void free_keeps_errno(void) {
    static void *held[3000];
    for (int i = 0; i < 3000; i++) CHECK(held[i] = malloc(i % 7 ? 3000 : 400000));
    errno = 1234;
    for (int i = 0; i < 3000; i++) free(held[i]);
    free(NULL);
    CHECK(errno == 1234);
    char *p = malloc(10);
    errno = 1234;
    CHECK(realloc(p, zero) == NULL && errno == 1234);
}

static void *free_all(void *held) {
    errno = 1234;
    for (int i = 0; i < 1000; i++) free(((void **)held)[i]);
    CHECK(errno == 1234);
    return NULL;
}

static void free_elsewhere_keeps_errno(void) {
    static void *held[1000];
    for (int i = 0; i < 1000; i++) CHECK(held[i] = malloc(i % 7 ? 3000 : 400000));
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, free_all, held) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void trimming(void) {
    static void *held[1000];
    for (int i = 0; i < 1000; i++) CHECK(held[i] = malloc(500));
    for (int i = 0; i < 1000; i++) free(held[i]);
    CHECK(malloc_trim(0) == 1);
    CHECK(malloc_trim(0) == 0);
}

int main(void) {
    check_preloaded();
    zero_sizes();
    impossible_sizes();
    odd_alignments();
    alignments();
    sizes();
    resizing();
    free_keeps_errno();
    free_elsewhere_keeps_errno();
    trimming();
    return report();
}
