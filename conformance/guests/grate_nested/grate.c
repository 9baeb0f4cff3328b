/* The lowest of two: it watches over a program that is a grate itself. */
#include "../launch.h"

LIND_GRATE_ENTRY

/* 10 times the real answer, plus the cage for whom it is asked. */
static int real(LIND_HANDLER_PARAMS)
{
    return 10 * lind_forward(LIND_CALL_GETPPID) + (int)arg1cage;
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_GETPPID, grate, LIND_HANDLER(real));
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
