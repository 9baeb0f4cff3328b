/* Condition variables: a number that every signal changes. A waiter sleeps as long as it is the one it saw. */
#include "thread.h"

int pthread_cond_init(pthread_cond_t *restrict condition, const pthread_condattr_t *restrict attributes)
{
    *condition = (pthread_cond_t){.__shared = attributes && attributes->__shared,
                                  .__clock = attributes ? attributes->__clock : CLOCK_REALTIME};
    return 0;
}

int pthread_cond_destroy(pthread_cond_t *condition)
{
    (void)condition;
    return 0;
}

struct waiting {
    pthread_cond_t *condition;
    pthread_mutex_t *mutex;
};

/* Also what a cancelled waiter does. */
static void stop_waiting(void *argument)
{
    struct waiting *it = argument;
    __atomic_sub_fetch(&it->condition->__waiters, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(it->mutex);
}

int pthread_cond_clockwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, clockid_t clock,
                           const struct timespec *restrict limit)
{
    if (__lind_bad_time(limit) || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
        return EINVAL;
    __lind_cancel_point();
    struct waiting waiting = {condition, mutex};
    int seen = __atomic_load_n(&condition->__sequence, __ATOMIC_SEQ_CST), result;
    unsigned depth = mutex->__count; /* of a recursive mutex: all of it is given up */
    __atomic_add_fetch(&condition->__waiters, 1, __ATOMIC_SEQ_CST);
    mutex->__count = 1;
    result = pthread_mutex_unlock(mutex);
    if (result) {
        __atomic_sub_fetch(&condition->__waiters, 1, __ATOMIC_SEQ_CST);
        mutex->__count = depth;
        return result;
    }
    pthread_cleanup_push(stop_waiting, &waiting);
    result = __lind_cancellable_wait(&condition->__sequence, seen, clock, limit, condition->__shared);
    pthread_cleanup_pop(1);
    mutex->__count = depth;
    return result == -ETIMEDOUT ? ETIMEDOUT : 0;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict limit)
{
    return pthread_cond_clockwait(condition, mutex, condition->__clock, limit);
}

int pthread_cond_wait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex)
{
    return pthread_cond_clockwait(condition, mutex, CLOCK_REALTIME, 0);
}

static int wake(pthread_cond_t *condition, int count)
{
    if (__atomic_load_n(&condition->__waiters, __ATOMIC_SEQ_CST)) {
        __atomic_add_fetch(&condition->__sequence, 1, __ATOMIC_SEQ_CST);
        __lind_futex_wake(&condition->__sequence, count, condition->__shared);
    }
    return 0;
}

int pthread_cond_signal(pthread_cond_t *condition)
{
    return wake(condition, 1);
}

int pthread_cond_broadcast(pthread_cond_t *condition)
{
    return wake(condition, INT_MAX);
}

int pthread_condattr_init(pthread_condattr_t *attributes)
{
    *attributes = (pthread_condattr_t){0};
    return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *attributes)
{
    (void)attributes;
    return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *attributes, clockid_t clock)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return EINVAL;
    attributes->__clock = clock;
    return 0;
}

int pthread_condattr_getclock(const pthread_condattr_t *restrict attributes, clockid_t *restrict clock)
{
    *clock = attributes->__clock;
    return 0;
}

int pthread_condattr_setpshared(pthread_condattr_t *attributes, int shared)
{
    if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
        return EINVAL;
    attributes->__shared = shared;
    return 0;
}

int pthread_condattr_getpshared(const pthread_condattr_t *restrict attributes, int *restrict shared)
{
    *shared = attributes->__shared != 0;
    return 0;
}
