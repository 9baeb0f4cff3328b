/* Keeps a copy of what is written, and believes that nobody may make a directory; nothing is passed on. */
#include "../grate.h"

LIND_GRATE_ENTRY

static char copy[1024];
static size_t used;

static int on_write(LIND_HANDLER_PARAMS)
{
    (void)arg1, (void)arg1cage, (void)arg3cage, (void)arg4, (void)arg4cage, (void)arg5, (void)arg5cage;
    (void)arg6, (void)arg6cage;
    size_t length = arg3 < sizeof copy - used ? arg3 : sizeof copy - used;
    if (fetch(grate, copy + used, length, arg2, arg2cage) < 0)
        return -EFAULT;
    used += length;
    return arg3;
}

static int on_mkdir(LIND_HANDLER_PARAMS)
{
    UNUSED_ARGUMENTS;
    return -EACCES;
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_WRITE, grate, LIND_HANDLER(on_write));
    register_handler(child, LIND_CALL_MKDIR, grate, LIND_HANDLER(on_mkdir));
}

int main(int argc, char **argv)
{
    (void)argc;
    int status = launch(argv, interpose);
    printf("inner has: %.*s", (int)used, copy);
    return status;
}
