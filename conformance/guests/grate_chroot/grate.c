/* Another root: what the program calls / is a folder, which it cannot leave by .. or by where it stands.
 *
 *     lindref run grate.wasm root=/sandbox app.wasm
 *
 * Paths are taken apart as text: symbolic links lead where they lead beneath, so the program may not make any. */
#include "../paths.h"

LIND_GRATE_ENTRY

/* The folder, without a slash at its end. */
static const char *root;
static int launched;

/* Where `cage` stands, as it calls it itself: the root until it has moved. */
static void inside(uint64_t grate, uint64_t cage, char where[SIZE])
{
    char real[SIZE];
    size_t length = strlen(root);
    standing(grate, cage, real);
    int within = strncmp(real, root, length) == 0 && (real[length] == '/' || !real[length]);
    strcpy(where, within && real[length] ? real + length : "/");
}

/* From the real root on. Where a descriptor leads is not known here. */
static int moved(uint64_t grate, char to[SIZE], int folder, uint64_t address, uint64_t cage)
{
    char path[SIZE], where[SIZE];
    if (fetch_string(grate, path, SIZE, address, cage) < 0)
        return -EFAULT;
    if (!*path)
        return -ENOENT;
    if (*path != '/' && folder != AT_FDCWD)
        return -EACCES;
    inside(grate, cage, where);
    char *start = to + sprintf(to, "%s", root);
    if (*path != '/' && walk(start, start, to + SIZE, where) == 0 && start[1])
        return walk(start, start + strlen(start), to + SIZE, path);
    return walk(start, start, to + SIZE, path);
}

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
    inside(grate, arg1cage, where);
    size_t length = strlen(where) + 1;
    if (length > arg2)
        return -ERANGE;
    int fault = deliver(grate, where, length, arg1, arg1cage);
    return fault ? fault : (int)length;
}

/* What leads out by a descriptor, or would make a link that does. */
static int refuse(LIND_HANDLER_PARAMS)
{
    UNUSED_ARGUMENTS;
    return -EACCES;
}

static const struct row rows[] = {
    EACH_CALL(ROW, ROW, ROW)
    {LIND_CALL_EXECVE, on_exec}, {LIND_CALL_GETCWD, on_getcwd}, {LIND_CALL_FCHDIR, refuse}, {LIND_CALL_SYMLINK, refuse},
    {LIND_CALL_SYMLINKAT, refuse}, {LIND_CALL_RENAMEAT, refuse}, {LIND_CALL_RENAMEAT2, refuse},
};

static void interpose(uint64_t child, uint64_t grate)
{
    interpose_rows(child, grate, rows, sizeof rows);
}

int main(int argc, char **argv)
{
    (void)argc;
    root = setting(argv, "root", "/sandbox");
    return launch_behind(argv, interpose);
}
