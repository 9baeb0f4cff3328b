/* How much a program and its children may use: bytes that all of them write together (then EFBIG), and numbers of
 * descriptors that each may have beyond the three it begins with (then EMFILE, as RLIMIT_NOFILE has it: numbers are
 * given out from the lowest free one).
 *
 *     lindref run grate.wasm written=20 files=2 app.wasm
 *
 * Limited are write and pwrite, and the calls that give one descriptor. */
#include "../grate.h"

LIND_GRATE_ENTRY

#define STREAMS 3

static long left;
static int files;

/* As many bytes as are left; a write that is cut is a short one. */
static int limited_write(int number, LIND_HANDLER_PARAMS)
{
    if (left == 0 && arg3 > 0)
        return -EFBIG;
    uint64_t count = arg3 < (uint64_t)left ? arg3 : (uint64_t)left;
    left -= count; /* before the call: another may be made while it waits */
    int written = make_threei_call(number, 0, grate, arg1cage, arg1, arg1cage, arg2, arg2cage, count, arg3cage, arg4,
                                   arg4cage, arg5, arg5cage, arg6, arg6cage, 0);
    left += count - (written > 0 ? written : 0);
    return written;
}

/* One too many is closed again. */
static int limited_open(uint64_t grate, uint64_t cage, int fd)
{
    if (fd < STREAMS + files)
        return fd;
    make_threei_call(LIND_CALL_CLOSE, 0, grate, cage, fd, cage, LIND_NOTUSED, cage, LIND_NOTUSED, cage, LIND_NOTUSED,
                     cage, LIND_NOTUSED, cage, LIND_NOTUSED, cage, 0);
    return -EMFILE;
}

#define WRITES(name)                                                                                                 \
    static int on_##name(LIND_HANDLER_PARAMS)                                                                        \
    {                                                                                                                \
        return limited_write(LIND_CALL_##name, grate, LIND_HANDLER_ARGS);                                            \
    }
#define OPENS(name)                                                                                                  \
    static int on_##name(LIND_HANDLER_PARAMS)                                                                        \
    {                                                                                                                \
        return limited_open(grate, arg1cage, lind_forward(LIND_CALL_##name));                                        \
    }
#define EACH_CALL(WRITES, OPENS)                                                                                     \
    WRITES(WRITE) WRITES(PWRITE64) OPENS(OPEN) OPENS(DUP) OPENS(SOCKET) OPENS(ACCEPT) OPENS(EPOLL_CREATE1)
EACH_CALL(WRITES, OPENS)

#define ROW(name) {LIND_CALL_##name, on_##name},
static const struct row rows[] = {EACH_CALL(ROW, ROW)};

static void interpose(uint64_t child, uint64_t grate)
{
    interpose_rows(child, grate, rows, sizeof rows);
}

int main(int argc, char **argv)
{
    (void)argc;
    left = atol(setting(argv, "written", "100"));
    files = atoi(setting(argv, "files", "8"));
    return launch_behind(argv, interpose);
}
