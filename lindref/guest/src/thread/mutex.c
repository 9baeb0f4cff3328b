/* Mutexes. The lock word is that of lock.c: 0 free, 1 taken, 2 taken and someone waits. */
#include "thread.h"

#define KIND(mutex) ((mutex)->__kind & 3)
#define IS_SHARED(mutex) ((mutex)->__kind & SHARED)

int __lind_lock_until(volatile int *lock, int clock, const struct timespec *limit, int shared)
{
    int seen = 0;
    if (__atomic_compare_exchange_n(lock, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return 0;
    if (__lind_bad_time(limit))
        return EINVAL;
    while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
        if (__lind_futex_wait_until(lock, 2, clock, limit, shared) == -ETIMEDOUT)
            return ETIMEDOUT;
    return 0;
}

void __lind_unlock_shared(volatile int *lock, int shared)
{
    if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
        __lind_futex_wake(lock, 1, shared);
}

int pthread_mutex_init(pthread_mutex_t *restrict mutex, const pthread_mutexattr_t *restrict attributes)
{
    *mutex = (pthread_mutex_t){.__kind = attributes ? (int)attributes->__flags : PTHREAD_MUTEX_NORMAL};
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    return mutex->__lock ? EBUSY : 0;
}

/* Whether the caller holds a mutex that knows its holder. */
static int mine(const pthread_mutex_t *mutex)
{
    return KIND(mutex) != PTHREAD_MUTEX_NORMAL && mutex->__lock && mutex->__owner == __lind_owner();
}

static int again(pthread_mutex_t *mutex, int if_not)
{
    if (KIND(mutex) != PTHREAD_MUTEX_RECURSIVE)
        return if_not;
    if (mutex->__count == UINT_MAX)
        return EAGAIN;
    mutex->__count++;
    return 0;
}

static int taken(pthread_mutex_t *mutex)
{
    mutex->__owner = __lind_owner();
    mutex->__count = 1;
    return 0;
}

int pthread_mutex_clocklock(pthread_mutex_t *restrict mutex, clockid_t clock, const struct timespec *restrict limit)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return EINVAL;
    if (mine(mutex))
        return again(mutex, EDEADLK);
    int result = __lind_lock_until(&mutex->__lock, clock, limit, IS_SHARED(mutex));
    return result ? result : taken(mutex);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict limit)
{
    return pthread_mutex_clocklock(mutex, CLOCK_REALTIME, limit);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    return pthread_mutex_clocklock(mutex, CLOCK_REALTIME, 0);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    int seen = 0;
    if (mine(mutex))
        return again(mutex, EBUSY);
    if (!__atomic_compare_exchange_n(&mutex->__lock, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return EBUSY;
    return taken(mutex);
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (KIND(mutex) != PTHREAD_MUTEX_NORMAL) {
        if (!mine(mutex))
            return EPERM;
        if (--mutex->__count)
            return 0;
    }
    mutex->__owner = 0;
    __lind_unlock_shared(&mutex->__lock, IS_SHARED(mutex));
    return 0;
}

int pthread_mutex_consistent(pthread_mutex_t *mutex)
{
    (void)mutex;
    return EINVAL;
}

int pthread_mutexattr_init(pthread_mutexattr_t *attributes)
{
    attributes->__flags = 0;
    return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attributes)
{
    (void)attributes;
    return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attributes, int kind)
{
    if (kind < PTHREAD_MUTEX_NORMAL || kind > PTHREAD_MUTEX_ERRORCHECK)
        return EINVAL;
    attributes->__flags = (attributes->__flags & SHARED) | kind;
    return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *restrict attributes, int *restrict kind)
{
    *kind = attributes->__flags & 3;
    return 0;
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *attributes, int shared)
{
    if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
        return EINVAL;
    attributes->__flags = (attributes->__flags & ~SHARED) | (shared ? SHARED : 0);
    return 0;
}

int pthread_mutexattr_getpshared(const pthread_mutexattr_t *restrict attributes, int *restrict shared)
{
    *shared = attributes->__flags & SHARED ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE;
    return 0;
}

/* The system tells nobody that the holder of a lock has died, and has no priorities. */

int pthread_mutexattr_setrobust(pthread_mutexattr_t *attributes, int robust)
{
    (void)attributes;
    return robust == PTHREAD_MUTEX_STALLED ? 0 : robust == PTHREAD_MUTEX_ROBUST ? ENOTSUP : EINVAL;
}

int pthread_mutexattr_getrobust(const pthread_mutexattr_t *restrict attributes, int *restrict robust)
{
    (void)attributes;
    *robust = PTHREAD_MUTEX_STALLED;
    return 0;
}

int pthread_mutexattr_setprotocol(pthread_mutexattr_t *attributes, int protocol)
{
    (void)attributes;
    return protocol == PTHREAD_PRIO_NONE ? 0
           : protocol == PTHREAD_PRIO_INHERIT || protocol == PTHREAD_PRIO_PROTECT ? ENOTSUP : EINVAL;
}

int pthread_mutexattr_getprotocol(const pthread_mutexattr_t *restrict attributes, int *restrict protocol)
{
    (void)attributes;
    *protocol = PTHREAD_PRIO_NONE;
    return 0;
}
