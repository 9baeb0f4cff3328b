/* A policy: the child may read everything, and change things below /tmp only. */
#include "../launch.h"

#include <fcntl.h>

LIND_GRATE_ENTRY

/* Whether the path at `address` of `cage` is an absolute one below /tmp that does not climb out again. */
static int allowed(uint64_t grate, uint64_t address, uint64_t cage)
{
    char path[256];
    if (fetch_string(grate, path, sizeof path, address, cage) < 0)
        return 0;
    return strncmp(path, "/tmp/", 5) == 0 && !strstr(path, "/..");
}

static int check_open(LIND_HANDLER_PARAMS)
{
    int writes = (arg2 & O_ACCMODE) != O_RDONLY || arg2 & (O_CREAT | O_TRUNC);
    return writes && !allowed(grate, arg1, arg1cage) ? -EACCES : lind_forward(LIND_CALL_OPEN);
}

static int check_unlink(LIND_HANDLER_PARAMS)
{
    return allowed(grate, arg1, arg1cage) ? lind_forward(LIND_CALL_UNLINK) : -EPERM;
}

static int check_rename(LIND_HANDLER_PARAMS)
{
    int both = allowed(grate, arg1, arg1cage) && allowed(grate, arg2, arg2cage);
    return both ? lind_forward(LIND_CALL_RENAME) : -EPERM;
}

static int check_mkdir(LIND_HANDLER_PARAMS)
{
    return allowed(grate, arg1, arg1cage) ? lind_forward(LIND_CALL_MKDIR) : -EROFS;
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_OPEN, grate, LIND_HANDLER(check_open));
    register_handler(child, LIND_CALL_UNLINK, grate, LIND_HANDLER(check_unlink));
    register_handler(child, LIND_CALL_RENAME, grate, LIND_HANDLER(check_rename));
    register_handler(child, LIND_CALL_MKDIR, grate, LIND_HANDLER(check_mkdir));
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
