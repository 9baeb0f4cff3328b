/* The inner of two grates: one more than what geteuid() says beneath, and what is written comes out in brackets. */
#include "../launch.h"

LIND_GRATE_ENTRY

static int one_more(LIND_HANDLER_PARAMS)
{
    return lind_forward(LIND_CALL_GETEUID) + 1;
}

/* The line break at the end stays at the end. */
static int brackets(LIND_HANDLER_PARAMS)
{
    char text[256];
    size_t length = arg3;
    if (length + 2 > sizeof text)
        return -EMSGSIZE;
    if (copy_data_between_cages(grate, grate, arg2, arg2cage, (uintptr_t)(text + 1), grate, length, LIND_COPY_BYTES) ==
        ELINDAPIABORTED)
        return -EFAULT;
    int breaks = length && text[length] == '\n';
    text[0] = '[';
    text[length + 1 - breaks] = ']';
    if (breaks)
        text[length + 1] = '\n';
    int written = make_threei_call(LIND_CALL_WRITE, 0, grate, arg1cage, arg1, arg1cage, (uintptr_t)text,
                                   grate | LIND_GRATE_MEMORY_FLAG, length + 2, arg3cage, arg4, arg4cage, arg5, arg5cage,
                                   arg6, arg6cage, 0);
    return written == (int)length + 2 ? (int)length : written;
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_GETEUID, grate, LIND_HANDLER(one_more));
    register_handler(child, LIND_CALL_WRITE, grate, LIND_HANDLER(brackets));
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
