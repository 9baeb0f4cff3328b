/* Read-write locks: the word is the number of readers, or -1 for one writer. */
#include "thread.h"

int pthread_rwlock_init(pthread_rwlock_t *restrict lock, const pthread_rwlockattr_t *restrict attributes)
{
    *lock = (pthread_rwlock_t){.__shared = attributes && attributes->__shared};
    return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
    return lock->__state ? EBUSY : 0;
}

#define WRITER(lock) ((lock)->__spare[0]) /* who writes */

int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    int seen = lock->__state;
    do {
        if (seen < 0)
            return EBUSY;
        if (seen == INT_MAX)
            return EAGAIN;
    } while (!__atomic_compare_exchange_n(&lock->__state, &seen, seen + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return 0;
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    int seen = 0;
    if (!__atomic_compare_exchange_n(&lock->__state, &seen, -1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return EBUSY;
    WRITER(lock) = __lind_owner();
    return 0;
}

static int acquire(pthread_rwlock_t *lock, int (*attempt)(pthread_rwlock_t *), int write, const struct timespec *limit)
{
    int result;
    while ((result = attempt(lock)) == EBUSY) {
        if (__lind_bad_time(limit))
            return EINVAL;
        if (lock->__state < 0 && WRITER(lock) == (unsigned)__lind_owner())
            return EDEADLK;
        __atomic_add_fetch(&lock->__waiters, 1, __ATOMIC_SEQ_CST);
        int seen = __atomic_load_n(&lock->__state, __ATOMIC_SEQ_CST), woken = 0;
        if (write ? seen != 0 : seen < 0)
            woken = __lind_futex_wait_until(&lock->__state, seen, CLOCK_REALTIME, limit, lock->__shared);
        __atomic_sub_fetch(&lock->__waiters, 1, __ATOMIC_SEQ_CST);
        if (woken == -ETIMEDOUT)
            return ETIMEDOUT;
    }
    return result;
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict lock, const struct timespec *restrict limit)
{
    return acquire(lock, pthread_rwlock_tryrdlock, 0, limit);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict lock, const struct timespec *restrict limit)
{
    return acquire(lock, pthread_rwlock_trywrlock, 1, limit);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    return pthread_rwlock_timedrdlock(lock, 0);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    return pthread_rwlock_timedwrlock(lock, 0);
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    int left;
    if (lock->__state < 0) {
        WRITER(lock) = 0;
        left = 0;
        __atomic_store_n(&lock->__state, 0, __ATOMIC_SEQ_CST);
    } else {
        left = __atomic_sub_fetch(&lock->__state, 1, __ATOMIC_SEQ_CST);
    }
    if (left == 0 && __atomic_load_n(&lock->__waiters, __ATOMIC_SEQ_CST))
        __lind_futex_wake(&lock->__state, INT_MAX, lock->__shared);
    return 0;
}

int pthread_rwlockattr_init(pthread_rwlockattr_t *attributes)
{
    *attributes = (pthread_rwlockattr_t){0};
    return 0;
}

int pthread_rwlockattr_destroy(pthread_rwlockattr_t *attributes)
{
    (void)attributes;
    return 0;
}

int pthread_rwlockattr_setpshared(pthread_rwlockattr_t *attributes, int shared)
{
    if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
        return EINVAL;
    attributes->__shared = shared;
    return 0;
}

int pthread_rwlockattr_getpshared(const pthread_rwlockattr_t *restrict attributes, int *restrict shared)
{
    *shared = attributes->__shared;
    return 0;
}
