/* A group of grates for one folder alone: calls with a path there, or a descriptor that was opened there, go into the
 * group; all others pass it by.
 *
 *     lindref run grate.wasm prefix=/tmp/box %{ inner.wasm %} app.wasm
 *
 * Paths are compared as they are written; descriptors are not followed into copies and forked children. */
#include "../group.h"

#define CAGES 64
#define DESCRIPTORS 64

LIND_GRATE_ENTRY

static const char *prefix;
static char opened_there[CAGES][DESCRIPTORS];

static int beneath(uint64_t grate, uint64_t address, uint64_t cage)
{
    char path[256];
    size_t length = strlen(prefix);
    return fetch_string(grate, path, sizeof path, address, cage) == 0 && strncmp(path, prefix, length) == 0 &&
           (path[length] == '/' || !path[length]);
}

static char *followed(uint64_t cage, int fd)
{
    static char none;
    none = 0;
    return cage < CAGES && fd >= 0 && fd < DESCRIPTORS ? &opened_there[cage][fd] : &none;
}

static int on_open(LIND_HANDLER_PARAMS)
{
    int there = beneath(grate, arg1, arg1cage);
    int fd = there ? into_group(LIND_CALL_OPEN) : lind_forward(LIND_CALL_OPEN);
    *followed(arg1cage, fd) = there;
    return fd;
}

static int on_close(LIND_HANDLER_PARAMS)
{
    char *there = followed(arg1cage, arg1);
    int result = *there ? into_group(LIND_CALL_CLOSE) : lind_forward(LIND_CALL_CLOSE);
    if (result == 0)
        *there = 0;
    return result;
}

#define BY_PATH(name)                                                                                                \
    static int on_##name(LIND_HANDLER_PARAMS)                                                                        \
    {                                                                                                                \
        return beneath(grate, arg1, arg1cage) ? into_group(LIND_CALL_##name) : lind_forward(LIND_CALL_##name);       \
    }
#define BY_DESCRIPTOR(name)                                                                                          \
    static int on_##name(LIND_HANDLER_PARAMS)                                                                        \
    {                                                                                                                \
        return *followed(arg1cage, arg1) ? into_group(LIND_CALL_##name) : lind_forward(LIND_CALL_##name);            \
    }
#define EACH_CALL(PATH, DESCRIPTOR)                                                                                  \
    PATH(STAT) PATH(ACCESS) PATH(MKDIR) PATH(RMDIR) PATH(UNLINK) PATH(RENAME) PATH(CHMOD) PATH(TRUNCATE)             \
    DESCRIPTOR(READ) DESCRIPTOR(WRITE) DESCRIPTOR(LSEEK) DESCRIPTOR(FSTAT) DESCRIPTOR(FTRUNCATE)
EACH_CALL(BY_PATH, BY_DESCRIPTOR)

#define ROW(name) {LIND_CALL_##name, on_##name},
static const struct row members[] = {
    {LIND_CALL_OPEN, on_open}, {LIND_CALL_CLOSE, on_close}, EACH_CALL(ROW, ROW) {0, NULL},
};

int main(int argc, char **argv)
{
    (void)argc;
    prefix = setting(argv, "prefix", "/tmp/box");
    return launch_group(argv);
}
