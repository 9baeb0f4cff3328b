/* ISO-006: the outer of two policies on one call: no mode runs as its owner. It sees what the inner one made of it. */
#include "../../guests/launch.h"

LIND_GRATE_ENTRY

static int no_setuid(LIND_HANDLER_PARAMS)
{
    if (arg2 & 06000)
        return -EPERM;
    if (arg2 & 07)
        return -EACCES; /* the inner one was passed by */
    return lind_forward(LIND_CALL_CHMOD);
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_CHMOD, grate, LIND_HANDLER(no_setuid));
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
