/* The inner of two policies on one call: others get nothing. */
#include "../../guests/launch.h"

LIND_GRATE_ENTRY

static int no_others(LIND_HANDLER_PARAMS)
{
    arg2 &= ~(uint64_t)07;
    return lind_forward(LIND_CALL_CHMOD);
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_CHMOD, grate, LIND_HANDLER(no_others));
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
