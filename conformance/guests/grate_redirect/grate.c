/* The child believes it reads /etc; what it reads is /sandbox/etc. The grate copies the path out of the child, writes
 * the new one in its own memory, and makes the call beneath with that: each argument carries the cage it belongs to,
 * so the path is the grate's while the descriptor that results is the child's. */
#include "../launch.h"

#define PREFIX "/sandbox"
#define SIZE 256

LIND_GRATE_ENTRY

/* The path to use instead, in `to`. Positive: the child's own will do. */
static int rewritten(char to[SIZE], uint64_t grate, uint64_t address, uint64_t cage)
{
    size_t length = strlen(PREFIX);
    if (fetch_string(grate, to + length, SIZE - length, address, cage) < 0)
        return -EFAULT;
    if (strncmp(to + length, "/etc/", 5) != 0)
        return 1;
    memcpy(to, PREFIX, length);
    return 0;
}

/* A pointer of this grate as an argument: its address in the grate, with the memory flag beside it. */
#define MINE(pointer) (uintptr_t)(pointer), grate | LIND_GRATE_MEMORY_FLAG

static int redirect_open(LIND_HANDLER_PARAMS)
{
    char path[SIZE];
    int how = rewritten(path, grate, arg1, arg1cage);
    if (how != 0)
        return how > 0 ? lind_forward(LIND_CALL_OPEN) : how;
    return make_threei_call(LIND_CALL_OPEN, 0, grate, arg1cage, MINE(path), arg2, arg2cage, arg3, arg3cage, arg4,
                            arg4cage, arg5, arg5cage, arg6, arg6cage, 0);
}

static int redirect_access(LIND_HANDLER_PARAMS)
{
    char path[SIZE];
    int how = rewritten(path, grate, arg1, arg1cage);
    if (how != 0)
        return how > 0 ? lind_forward(LIND_CALL_ACCESS) : how;
    return make_threei_call(LIND_CALL_ACCESS, 0, grate, arg1cage, MINE(path), arg2, arg2cage, arg3, arg3cage, arg4,
                            arg4cage, arg5, arg5cage, arg6, arg6cage, 0);
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_OPEN, grate, LIND_HANDLER(redirect_open));
    register_handler(child, LIND_CALL_ACCESS, grate, LIND_HANDLER(redirect_access));
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
