/* Calls that wait do not stop those of others: each is served by a worker of its own. */
#include "../launch.h"

LIND_GRATE_ENTRY

static int inside, most;

static int entered(int result_of_call)
{
    inside--;
    return result_of_call;
}

static int on_read(LIND_HANDLER_PARAMS)
{
    if (++inside > most)
        most = inside;
    return entered(lind_forward(LIND_CALL_READ));
}

static int on_write(LIND_HANDLER_PARAMS)
{
    if (++inside > most)
        most = inside;
    return entered(lind_forward(LIND_CALL_WRITE));
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_READ, grate, LIND_HANDLER(on_read));
    register_handler(child, LIND_CALL_WRITE, grate, LIND_HANDLER(on_write));
}

int main(int argc, char **argv)
{
    (void)argc;
    int status = launch(argv, interpose);
    printf("grate: %d calls at once\n", most);
    return status;
}
