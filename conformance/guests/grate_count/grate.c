/* Counts calls and bytes; the table is printed when the child has ended. All workers share the grate's memory. */
#include "../launch.h"

LIND_GRATE_ENTRY

enum { READ, WRITE, OPEN, CLOSE, KINDS };
static const char *const names[KINDS] = {"read", "write", "open", "close"};
static struct {
    int calls, failures;
    long bytes;
} table[KINDS];

static int counted(int kind, int result)
{
    table[kind].calls++;
    if (result < 0)
        table[kind].failures++;
    else if (kind == READ || kind == WRITE)
        table[kind].bytes += result;
    return result;
}

static int on_read(LIND_HANDLER_PARAMS)
{
    return counted(READ, lind_forward(LIND_CALL_READ));
}

static int on_write(LIND_HANDLER_PARAMS)
{
    return counted(WRITE, lind_forward(LIND_CALL_WRITE));
}

static int on_open(LIND_HANDLER_PARAMS)
{
    return counted(OPEN, lind_forward(LIND_CALL_OPEN));
}

static int on_close(LIND_HANDLER_PARAMS)
{
    return counted(CLOSE, lind_forward(LIND_CALL_CLOSE));
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_READ, grate, LIND_HANDLER(on_read));
    register_handler(child, LIND_CALL_WRITE, grate, LIND_HANDLER(on_write));
    register_handler(child, LIND_CALL_OPEN, grate, LIND_HANDLER(on_open));
    register_handler(child, LIND_CALL_CLOSE, grate, LIND_HANDLER(on_close));
}

int main(int argc, char **argv)
{
    (void)argc;
    int status = launch(argv, interpose);
    for (int kind = 0; kind < KINDS; kind++)
        printf("%-5s %2d calls, %d failed, %ld bytes\n", names[kind], table[kind].calls, table[kind].failures,
               table[kind].bytes);
    return status;
}
