/* Futexes, and the plain lock that the library's own tables use. */
#include "../internal.h"

#include <linux/futex.h>
#include <time.h>

int __lind_futex_wait(volatile int *word, int value, const struct wire_timespec *relative, int shared)
{
    return RAW(LIND_CALL_FUTEX, POINTER(word), INT(FUTEX_WAIT | (shared ? 0 : FUTEX_PRIVATE_FLAG)), INT(value),
               POINTER(relative), 0, 0);
}

int __lind_futex_wait_until(volatile int *word, int value, int clock, const struct timespec *limit, int shared)
{
    struct wire_timespec wire;
    int operation = FUTEX_WAIT_BITSET | (shared ? 0 : FUTEX_PRIVATE_FLAG);
    if (!limit)
        return __lind_futex_wait(word, value, 0, shared);
    if (clock == CLOCK_REALTIME)
        operation |= FUTEX_CLOCK_REALTIME;
    wire = (struct wire_timespec){limit->tv_sec, limit->tv_nsec};
    return RAW(LIND_CALL_FUTEX, POINTER(word), INT(operation), INT(value), POINTER(&wire), 0,
               SIZE(FUTEX_BITSET_MATCH_ANY));
}

void __lind_futex_wake(volatile int *word, int count, int shared)
{
    RAW(LIND_CALL_FUTEX, POINTER(word), INT(FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE_FLAG)), INT(count), 0, 0, 0);
}

void __lind_lock(volatile int *lock)
{
    int seen = 0;
    if (__atomic_compare_exchange_n(lock, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
        __lind_futex_wait(lock, 2, 0, 0);
}

void __lind_unlock(volatile int *lock)
{
    if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
        __lind_futex_wake(lock, 1, 0);
}
