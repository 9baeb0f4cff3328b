/* The smallest grate: whoever its child is, geteuid() says 1000. */
#include "../launch.h"

LIND_GRATE_ENTRY

static int say_1000(LIND_HANDLER_PARAMS)
{
    (void)grate, (void)arg1, (void)arg1cage, (void)arg2, (void)arg2cage, (void)arg3, (void)arg3cage;
    (void)arg4, (void)arg4cage, (void)arg5, (void)arg5cage, (void)arg6, (void)arg6cage;
    return 1000;
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_GETEUID, grate, LIND_HANDLER(say_1000));
}

int main(int argc, char **argv)
{
    (void)argc;
    printf("grate: geteuid %d\n", (int)geteuid());
    int status = launch(argv, interpose);
    printf("grate: geteuid still %d, child ended with %d\n", (int)geteuid(), status);
    return status;
}
