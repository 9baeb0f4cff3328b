/* ISO-006: the outer of two policies: nothing is removed. */
#include "../../guests/launch.h"

LIND_GRATE_ENTRY

static int refuse(LIND_HANDLER_PARAMS)
{
    (void)grate, (void)arg1, (void)arg1cage, (void)arg2, (void)arg2cage, (void)arg3, (void)arg3cage, (void)arg4;
    (void)arg4cage, (void)arg5, (void)arg5cage, (void)arg6, (void)arg6cage;
    return -EPERM;
}

static int count(LIND_HANDLER_PARAMS)
{
    return lind_forward(LIND_CALL_MKDIR);
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_UNLINK, grate, LIND_HANDLER(refuse));
    register_handler(child, LIND_CALL_RMDIR, grate, LIND_HANDLER(refuse));
    register_handler(child, LIND_CALL_MKDIR, grate, LIND_HANDLER(count));
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
