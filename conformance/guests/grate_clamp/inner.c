/* What is written comes out in capitals, nothing is removed, and it is told how often that was asked. */
#include "../grate.h"

#include <ctype.h>

LIND_GRATE_ENTRY

static int writes, removals;

static int on_write(LIND_HANDLER_PARAMS)
{
    char text[256];
    writes++;
    if (arg3 > sizeof text)
        return -EMSGSIZE;
    if (fetch(grate, text, arg3, arg2, arg2cage) < 0)
        return -EFAULT;
    for (size_t i = 0; i < arg3; i++)
        text[i] = toupper((unsigned char)text[i]);
    return make_threei_call(LIND_CALL_WRITE, 0, grate, arg1cage, arg1, arg1cage, LENT(text), THE_REST);
}

static int on_unlink(LIND_HANDLER_PARAMS)
{
    UNUSED_ARGUMENTS;
    removals++;
    return -EPERM;
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_WRITE, grate, LIND_HANDLER(on_write));
    register_handler(child, LIND_CALL_UNLINK, grate, LIND_HANDLER(on_unlink));
}

int main(int argc, char **argv)
{
    (void)argc;
    int status = launch(argv, interpose);
    printf("inner: %d writes, %d removals\n", writes, removals);
    return status;
}
