/* The threads of C11, on those of POSIX. */
#include "thread.h"

#include <sched.h>
#include <stdlib.h>
#include <threads.h>

static int outcome(int number)
{
    return !number ? thrd_success : number == EBUSY ? thrd_busy : number == ETIMEDOUT ? thrd_timedout
           : number == ENOMEM ? thrd_nomem : thrd_error;
}

struct beginning {
    thrd_start_t start;
    void *argument;
};

static void *begin(void *argument)
{
    struct beginning it = *(struct beginning *)argument;
    free(argument);
    return (void *)(intptr_t)it.start(it.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t start, void *argument)
{
    struct beginning *it = malloc(sizeof *it);
    if (!it)
        return thrd_nomem;
    *it = (struct beginning){start, argument};
    int result = pthread_create(thread, 0, begin, it);
    if (result)
        free(it);
    return result == EAGAIN ? thrd_nomem : outcome(result);
}

int thrd_join(thrd_t thread, int *result)
{
    void *value;
    int failed = pthread_join(thread, &value);
    if (!failed && result)
        *result = (int)(intptr_t)value;
    return outcome(failed);
}

int thrd_detach(thrd_t thread) { return outcome(pthread_detach(thread)); }
int thrd_equal(thrd_t left, thrd_t right) { return left == right; }
thrd_t thrd_current(void) { return pthread_self(); }
_Noreturn void thrd_exit(int result) { pthread_exit((void *)(intptr_t)result); }
void thrd_yield(void) { sched_yield(); }

int thrd_sleep(const struct timespec *wanted, struct timespec *remaining)
{
    int failed = clock_nanosleep(CLOCK_REALTIME, 0, wanted, remaining);
    return !failed ? 0 : failed == EINTR ? -1 : -2;
}

int mtx_init(mtx_t *mutex, int kind)
{
    *mutex = (mtx_t){.__kind = kind & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL};
    return thrd_success;
}

void mtx_destroy(mtx_t *mutex) { pthread_mutex_destroy(mutex); }
int mtx_lock(mtx_t *mutex) { return outcome(pthread_mutex_lock(mutex)); }
int mtx_trylock(mtx_t *mutex) { return outcome(pthread_mutex_trylock(mutex)); }
int mtx_unlock(mtx_t *mutex) { return outcome(pthread_mutex_unlock(mutex)); }

int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict limit)
{
    return outcome(pthread_mutex_timedlock(mutex, limit));
}

int cnd_init(cnd_t *condition) { return outcome(pthread_cond_init(condition, 0)); }
void cnd_destroy(cnd_t *condition) { pthread_cond_destroy(condition); }
int cnd_wait(cnd_t *condition, mtx_t *mutex) { return outcome(pthread_cond_wait(condition, mutex)); }
int cnd_signal(cnd_t *condition) { return outcome(pthread_cond_signal(condition)); }
int cnd_broadcast(cnd_t *condition) { return outcome(pthread_cond_broadcast(condition)); }

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict limit)
{
    return outcome(pthread_cond_timedwait(condition, mutex, limit));
}

int tss_create(tss_t *key, tss_dtor_t destroy) { return outcome(pthread_key_create(key, destroy)); }
void tss_delete(tss_t key) { pthread_key_delete(key); }
void *tss_get(tss_t key) { return pthread_getspecific(key); }
int tss_set(tss_t key, void *value) { return outcome(pthread_setspecific(key, value)); }
void call_once(once_flag *flag, void (*function)(void)) { pthread_once(flag, function); }
