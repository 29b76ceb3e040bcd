// Libraries with thread-locals come and go, in more copies than the C library's table has room for at first: it is
// then allocated anew, on the way to a thread-local. malloc must not be on that way, too.
#include "check.h"

#include <pthread.h>

enum { COPIES = 40 };

static void *libraries[COPIES];
static int (*turns[COPIES])(int);

static void *use_all(void *unused) {
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < COPIES; i++) {
            CHECK(turns[i](i) == i + 1);
            free(malloc(100 + i));
        }
    return unused;
}

int main(int argc, char **argv) {
    check_preloaded();
    CHECK(argc == 2);
    pthread_t early;
    for (int round = 0; round < 20 && !failures; round++) {
        char *kept[COPIES];
        for (int i = 0; i < COPIES; i++) {
            char path[4096];
            snprintf(path, sizeof path, "%s%d.so", argv[1], i);
            CHECK(libraries[i] = dlopen(path, RTLD_NOW | RTLD_LOCAL));
            if (!libraries[i]) return puts(dlerror()), 1;
            CHECK(turns[i] = dlsym(libraries[i], "plugin_turn"));
            char *(*make)(const char *) = dlsym(libraries[i], "plugin_make");
            CHECK(make && (kept[i] = make(path)));
        }
        pthread_create(&early, NULL, use_all, NULL);
        use_all(NULL);
        pthread_join(early, NULL);
        for (int i = 0; i < COPIES; i++) CHECK(dlclose(libraries[i]) == 0);
        for (int i = 0; i < COPIES; i++) {
            CHECK(strstr(kept[i], ".so"));
            free(kept[i]);
        }
        CHECK(dlopen("/nonexistent.so", RTLD_NOW) == NULL && dlerror());
    }
    return report();
}
