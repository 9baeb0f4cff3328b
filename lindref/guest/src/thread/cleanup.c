/* Clean-up handlers, and the wait that a cancellation ends. */
#include "thread.h"

void __lind_cleanup_push(struct __lind_cleanup *entry, void (*function)(void *), void *argument)
{
    struct thread *self = __lind_self();
    *entry = (struct __lind_cleanup){function, argument, self->cleanup};
    self->cleanup = entry;
}

void __lind_cleanup_pop(struct __lind_cleanup *entry, int run)
{
    __lind_self()->cleanup = entry->__next;
    if (run)
        entry->__function(entry->__argument);
}

int __lind_cancellable_wait(volatile int *word, int value, int clock, const struct timespec *limit, int shared)
{
    struct thread *self = __lind_self();
    self->sleeping_on = word;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    int result = self->cancel_pending && !self->cancel_disabled
                     ? -EINTR
                     : __lind_futex_wait_until(word, value, clock, limit, shared);
    self->sleeping_on = 0;
    __lind_cancel_point();
    return result;
}
