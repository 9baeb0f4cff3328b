/* The inner of two policies: directories are made below /tmp only, and what is removed is refused by the outer one. */
#include "../../guests/launch.h"

LIND_GRATE_ENTRY

static int below(LIND_HANDLER_PARAMS)
{
    char path[256];
    int fits = fetch_string(grate, path, sizeof path, arg1, arg1cage) == 0 && strncmp(path, "/tmp/", 5) == 0;
    return fits ? lind_forward(LIND_CALL_MKDIR) : -EACCES;
}

static int through(LIND_HANDLER_PARAMS)
{
    return lind_forward(LIND_CALL_UNLINK);
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_MKDIR, grate, LIND_HANDLER(below));
    register_handler(child, LIND_CALL_UNLINK, grate, LIND_HANDLER(through));
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
