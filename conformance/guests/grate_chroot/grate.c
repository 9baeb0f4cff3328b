/* Another root: what the program calls / is a folder, which it cannot leave by .. or by where it stands.
 *
 *     lindref run grate.wasm root=/sandbox app.wasm
 *
 * Paths are taken apart as text: symbolic links lead where they lead beneath, so the program may not make any. */
#include "paths.h"

#include <fcntl.h>

LIND_GRATE_ENTRY

static int launched;

/* The path is the first argument, the second behind a folder, or there are two. */
#define ONE(name)                                                                                                    \
    static int on_##name(LIND_HANDLER_PARAMS)                                                                        \
    {                                                                                                                \
        char path[SIZE];                                                                                             \
        int fault = moved(grate, path, arg1, arg1cage);                                                              \
        if (fault)                                                                                                   \
            return fault;                                                                                            \
        return make_threei_call(LIND_CALL_##name, 0, grate, arg1cage, LENT(path), arg2, arg2cage, THE_REST);         \
    }
#define AT(name)                                                                                                     \
    static int on_##name(LIND_HANDLER_PARAMS)                                                                        \
    {                                                                                                                \
        char path[SIZE];                                                                                             \
        int fault = (int)arg1 == AT_FDCWD ? moved(grate, path, arg2, arg2cage) : -EACCES;                            \
        if (fault)                                                                                                   \
            return fault;                                                                                            \
        return make_threei_call(LIND_CALL_##name, 0, grate, arg1cage, arg1, arg1cage, LENT(path), THE_REST);         \
    }
#define TWO(name)                                                                                                    \
    static int on_##name(LIND_HANDLER_PARAMS)                                                                        \
    {                                                                                                                \
        char from[SIZE], to[SIZE];                                                                                   \
        int fault = moved(grate, from, arg1, arg1cage);                                                              \
        fault = fault ? fault : moved(grate, to, arg2, arg2cage);                                                    \
        if (fault)                                                                                                   \
            return fault;                                                                                            \
        return make_threei_call(LIND_CALL_##name, 0, grate, arg1cage, LENT(from), LENT(to), THE_REST);               \
    }
#define EACH_CALL(ONE, AT, TWO)                                                                                      \
    ONE(OPEN) ONE(STAT) ONE(LSTAT) ONE(ACCESS) ONE(MKDIR) ONE(RMDIR) ONE(UNLINK) ONE(CHMOD) ONE(CHOWN) ONE(LCHOWN)    \
    ONE(TRUNCATE) ONE(READLINK) ONE(STATFS) ONE(MKNOD) ONE(CHDIR) AT(OPENAT) AT(NEWFSTATAT) AT(UNLINKAT) \
    AT(FACCESSAT) AT(READLINKAT) AT(FCHMODAT) AT(FCHOWNAT) AT(UTIMENSAT) TWO(RENAME) TWO(LINK)
EACH_CALL(ONE, AT, TWO)
ONE(EXECVE)

/* The program itself comes from outside. */
static int on_exec(LIND_HANDLER_PARAMS)
{
    return launched++ ? on_EXECVE(grate, LIND_HANDLER_ARGS) : lind_forward(LIND_CALL_EXECVE);
}

static int on_getcwd(LIND_HANDLER_PARAMS)
{
    (void)arg3, (void)arg3cage, (void)arg4, (void)arg4cage, (void)arg5, (void)arg5cage, (void)arg6, (void)arg6cage;
    (void)arg2cage;
    char where[SIZE];
    standing(grate, arg1cage, where);
    size_t length = strlen(where) + 1;
    if (length > arg2)
        return -ERANGE;
    int copied = copy_data_between_cages(grate, grate, (uintptr_t)where, grate, arg1, arg1cage, length,
                                         LIND_COPY_BYTES);
    return copied == ELINDAPIABORTED ? -EFAULT : (int)length;
}

/* What leads out by a descriptor, or would make a link that does. */
static int refuse(LIND_HANDLER_PARAMS)
{
    UNUSED_ARGUMENTS;
    return -EACCES;
}

#define ROW(name) {LIND_CALL_##name, on_##name},
static const struct row rows[] = {
    EACH_CALL(ROW, ROW, ROW)
    {LIND_CALL_EXECVE, on_exec}, {LIND_CALL_GETCWD, on_getcwd}, {LIND_CALL_FCHDIR, refuse}, {LIND_CALL_SYMLINK, refuse},
    {LIND_CALL_SYMLINKAT, refuse}, {LIND_CALL_RENAMEAT, refuse}, {LIND_CALL_RENAMEAT2, refuse},
};

static void interpose(uint64_t child, uint64_t grate)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        register_handler(child, rows[i].number, grate, LIND_HANDLER(rows[i].handler));
}

int main(int argc, char **argv)
{
    (void)argc;
    root = setting(argv, "root", "/sandbox");
    return launch_behind(argv, interpose);
}
