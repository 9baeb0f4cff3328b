/* A registration belongs to a cage: forks of it inherit it, exec keeps it, and each child can drop it for itself. */
#include "../launch.h"

LIND_GRATE_ENTRY

static int asked;

/* The number of times anybody asked; who asks shows in the arguments' cage. */
static int next(LIND_HANDLER_PARAMS)
{
    (void)grate, (void)arg1, (void)arg2, (void)arg2cage, (void)arg3, (void)arg3cage;
    (void)arg4, (void)arg4cage, (void)arg5, (void)arg5cage, (void)arg6, (void)arg6cage;
    return 100 * (int)arg1cage + ++asked;
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_GETEUID, grate, LIND_HANDLER(next));
}

int main(int argc, char **argv)
{
    (void)argc;
    int status = launch(argv, interpose);
    printf("grate: asked %d times\n", asked);
    return status;
}
