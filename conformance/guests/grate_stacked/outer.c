/* The outer of two grates: geteuid() is 1000, and what is written comes out in capitals.
 *
 * It starts the inner grate, which starts the program: a call of the program reaches the inner grate first, and what
 * that one forwards comes here. The bytes of a write are then in the inner grate's memory, and the cage beside the
 * pointer says so, while the descriptor is still the program's. */
#include "../launch.h"

#include <ctype.h>

LIND_GRATE_ENTRY

static int say_1000(LIND_HANDLER_PARAMS)
{
    (void)grate, (void)arg1, (void)arg1cage, (void)arg2, (void)arg2cage, (void)arg3, (void)arg3cage;
    (void)arg4, (void)arg4cage, (void)arg5, (void)arg5cage, (void)arg6, (void)arg6cage;
    return 1000;
}

static int capitals(LIND_HANDLER_PARAMS)
{
    char text[256];
    if (arg3 > sizeof text)
        return -EMSGSIZE;
    if (copy_data_between_cages(grate, grate, arg2, arg2cage, (uintptr_t)text, grate, arg3, LIND_COPY_BYTES) ==
        ELINDAPIABORTED)
        return -EFAULT;
    for (size_t i = 0; i < arg3; i++)
        text[i] = toupper((unsigned char)text[i]);
    return make_threei_call(LIND_CALL_WRITE, 0, grate, arg1cage, arg1, arg1cage, (uintptr_t)text,
                            grate | LIND_GRATE_MEMORY_FLAG, arg3, arg3cage, arg4, arg4cage, arg5, arg5cage, arg6,
                            arg6cage, 0);
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_GETEUID, grate, LIND_HANDLER(say_1000));
    register_handler(child, LIND_CALL_WRITE, grate, LIND_HANDLER(capitals));
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
