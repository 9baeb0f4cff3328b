/* Barriers and spin locks. */
#include "thread.h"

#include <sched.h>

int pthread_barrier_init(pthread_barrier_t *restrict barrier, const pthread_barrierattr_t *restrict attributes,
                         unsigned count)
{
    if (count == 0 || count > INT_MAX)
        return EINVAL;
    *barrier = (pthread_barrier_t){.__count = count, .__shared = attributes && attributes->__shared};
    return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    return barrier->__arrived ? EBUSY : 0;
}

int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    int shared = barrier->__shared;
    __lind_lock_until(&barrier->__lock, CLOCK_REALTIME, 0, shared);
    int round = barrier->__round;
    if (++barrier->__arrived == (int)barrier->__count) {
        barrier->__arrived = 0;
        __atomic_store_n(&barrier->__round, round + 1, __ATOMIC_SEQ_CST);
        __lind_unlock_shared(&barrier->__lock, shared);
        __lind_futex_wake(&barrier->__round, INT_MAX, shared);
        return PTHREAD_BARRIER_SERIAL_THREAD;
    }
    __lind_unlock_shared(&barrier->__lock, shared);
    while (__atomic_load_n(&barrier->__round, __ATOMIC_SEQ_CST) == round)
        __lind_futex_wait(&barrier->__round, round, 0, shared);
    return 0;
}

int pthread_barrierattr_init(pthread_barrierattr_t *attributes)
{
    attributes->__shared = 0;
    return 0;
}

int pthread_barrierattr_destroy(pthread_barrierattr_t *attributes)
{
    (void)attributes;
    return 0;
}

int pthread_barrierattr_setpshared(pthread_barrierattr_t *attributes, int shared)
{
    if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
        return EINVAL;
    attributes->__shared = shared;
    return 0;
}

int pthread_barrierattr_getpshared(const pthread_barrierattr_t *restrict attributes, int *restrict shared)
{
    *shared = attributes->__shared;
    return 0;
}

int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
    (void)shared;
    *lock = 0;
    return 0;
}

int pthread_spin_destroy(pthread_spinlock_t *lock)
{
    (void)lock;
    return 0;
}

int pthread_spin_trylock(pthread_spinlock_t *lock)
{
    return __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) ? EBUSY : 0;
}

int pthread_spin_lock(pthread_spinlock_t *lock)
{
    while (pthread_spin_trylock(lock))
        sched_yield();
    return 0;
}

int pthread_spin_unlock(pthread_spinlock_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
    return 0;
}
