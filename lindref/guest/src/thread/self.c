/* Which thread is running: kept in a wasm global, because each thread, and each worker that serves calls of a grate,
 * is an instance of its own with its own globals. */
#include "../internal.h"

#include <errno.h>
#include <stdlib.h>

__asm__(".globaltype __lind_current, i32\n"
        ".globl __lind_current\n"
        "__lind_current:\n");

struct thread __lind_main_thread = {.tid = 1};
volatile int __lind_live_threads = 1;

/* A grate has at most 32 workers; none of them runs _start, so each takes one of these at its first call. */
static struct thread workers[32];
static volatile unsigned workers_used;

static struct thread *current(void)
{
    struct thread *thread;
    __asm__("global.get __lind_current\n"
            "local.set %0" : "=r"(thread));
    return thread;
}

void __lind_set_self(struct thread *thread)
{
    __asm__ volatile("local.get %0\n"
                     "global.set __lind_current" : : "r"(thread));
}

__attribute__((noinline)) static struct thread *new_worker(void)
{
    unsigned index = __atomic_fetch_add(&workers_used, 1, __ATOMIC_RELAXED) % LENGTH(workers);
    struct thread *thread = &workers[index];
    thread->tid = -1 - (int)index; /* distinct from every real thread id: owners of locks are told apart by it */
    __lind_set_self(thread);
    return thread;
}

struct thread *__lind_self(void)
{
    struct thread *thread = current();
    return thread ? thread : new_worker();
}

int *__errno_location(void)
{
    return &__lind_self()->errno_value;
}

__attribute__((weak)) void __lind_cancel_point(void)
{
}

#ifdef __PIC__
/* In the shared library, before the constructors of any other module run. */
__attribute__((constructor(101))) static void begin(void)
{
    __lind_set_self(&__lind_main_thread);
    __lind_learn_identity();
}
#endif
