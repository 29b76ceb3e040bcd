// A library that is loaded and unloaded: it allocates at both ends, and has a thread-local of its own.
#include <stdlib.h>
#include <string.h>

static _Thread_local char *mine;
static char *own;

__attribute__((constructor)) static void begin(void) { own = strdup("constructor"); }
__attribute__((destructor)) static void end(void) { free(own); }

char *plugin_make(const char *text) { return strdup(text); }

int plugin_turn(int number) {
    if (!mine) mine = calloc(1, 100);
    if (!mine) return -1;
    mine[0]++;
    if (mine[0] >= 3) free(mine), mine = NULL;
    return number + (own[0] == 'c');
}
