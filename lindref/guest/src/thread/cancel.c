/* Cancellation. A cancelled thread ends at its next cancellation point: waits of this library are woken; a call into
 * the system that sleeps is not, because the system can interrupt only a cage's main thread. */
#include "thread.h"

#include <string.h>

void __lind_cancel_point(void)
{
    struct thread *self = __lind_self();
    if (self->cancel_pending && !self->cancel_disabled)
        pthread_exit(PTHREAD_CANCELED);
}

void pthread_testcancel(void)
{
    __lind_cancel_point();
}

int pthread_cancel(pthread_t thread)
{
    struct thread *it = (struct thread *)(uintptr_t)thread;
    __atomic_store_n(&it->cancel_pending, 1, __ATOMIC_SEQ_CST);
    volatile int *word = it->sleeping_on;
    if (word) {
        __lind_futex_wake(word, INT_MAX, 0);
        __lind_futex_wake(word, INT_MAX, 1);
    }
    return 0;
}

int pthread_setcancelstate(int state, int *old)
{
    struct thread *self = __lind_self();
    if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE)
        return EINVAL;
    if (old)
        *old = self->cancel_disabled ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
    self->cancel_disabled = state == PTHREAD_CANCEL_DISABLE;
    return 0;
}

/* Asynchronous cancellation may happen at any time, and that includes: not before the next cancellation point. */
int pthread_setcanceltype(int type, int *old)
{
    static _Thread_local int kept = PTHREAD_CANCEL_DEFERRED;
    if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS)
        return EINVAL;
    if (old)
        *old = kept;
    kept = type;
    if (type == PTHREAD_CANCEL_ASYNCHRONOUS)
        __lind_cancel_point();
    return 0;
}
