/* Waiting for a thread, and saying that nobody will. */
#include "thread.h"

#include <string.h>
#include <sys/mman.h>

static struct thread *record(pthread_t thread)
{
    return (struct thread *)(uintptr_t)thread;
}

/* Take the result and give the memory back. The record of the first thread is not a mapping. */
static int collect(struct thread *thread, void **result)
{
    if (result)
        *result = thread->result;
    if (thread->mapping)
        munmap(thread->mapping, thread->mapping_size);
    return 0;
}

/* The first thread keeps its id: the program ends with it, unless it called pthread_exit. */
static int ended(struct thread *thread, int tid)
{
    return tid == 0 || (thread == &__lind_main_thread && thread->detached == DETACH_ENDED);
}

static int join(struct thread *thread, void **result, int clock, const struct timespec *limit)
{
    if (thread == __lind_self())
        return EDEADLK;
    if (thread->detached == DETACH_DETACHED)
        return EINVAL;
    if (__lind_bad_time(limit))
        return EINVAL;
    __lind_cancel_point();
    for (int tid; !ended(thread, tid = thread->tid);)
        if (__lind_cancellable_wait(&thread->tid, tid, clock, limit, 0) == -ETIMEDOUT)
            return ETIMEDOUT;
    return collect(thread, result);
}

int pthread_join(pthread_t thread, void **result)
{
    return join(record(thread), result, CLOCK_REALTIME, 0);
}

int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *limit)
{
    return join(record(thread), result, CLOCK_REALTIME, limit);
}

int pthread_tryjoin_np(pthread_t thread, void **result)
{
    struct thread *it = record(thread);
    return ended(it, it->tid) ? collect(it, result) : EBUSY;
}

int pthread_detach(pthread_t thread)
{
    struct thread *it = record(thread);
    int expected = DETACH_JOINABLE;
    if (__atomic_compare_exchange_n(&it->detached, &expected, DETACH_DETACHED, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return 0;
    if (expected == DETACH_DETACHED)
        return EINVAL;
    if (it->mapping)
        __lind_thread_discard(it);
    return 0;
}

pthread_t pthread_self(void)
{
    return (pthread_t)(uintptr_t)__lind_self();
}

int pthread_equal(pthread_t left, pthread_t right)
{
    return left == right;
}
