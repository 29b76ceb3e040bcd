// A thread has blocks of a library that brings its allocator along, and ends when the library is gone.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char *path;
static const char *failed;

static void *work(void *unused) {
    (void)unused;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return failed = dlerror(), NULL;
    void *(*allocate)(size_t) = (void *(*)(size_t))dlsym(library, "malloc");
    void (*release)(void *) = (void (*)(void *))dlsym(library, "free");
    if (!allocate || !release) return failed = "no malloc in it", NULL;
    char *block = allocate(100);
    memset(block, 1, 100);
    release(block);
    dlclose(library);
    if (dlopen(path, RTLD_NOW | RTLD_NOLOAD)) failed = "it is still there";
    return NULL;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    path = argv[1];
    for (int turn = 0; turn < 3 && !failed; turn++) {
        pthread_t thread;
        pthread_create(&thread, NULL, work, NULL);
        pthread_join(thread, NULL);
    }
    puts(failed ? failed : "unloaded");
    return failed != NULL;
}
