/* Any call by its number. The caller's pointers cannot be told from integers, so they are not translated: a call that
 * takes pointers wants lind_host_address. */
#include "../internal.h"

#include <stdarg.h>
#include <unistd.h>

long syscall(long number, ...)
{
    uint64_t a[6];
    va_list args;
    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = INT(va_arg(args, long));
    va_end(args);
    return __lind_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
