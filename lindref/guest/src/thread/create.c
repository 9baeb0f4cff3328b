/* Making threads and ending them.
 *
 * A thread has one mapping: a guard page, its stack, and at the top the record of it. The host starts a thread by
 * letting it return from the creator's clone call with result 0 and the creator's wasm locals, but on its own stack; so
 * between that call and `start` only locals and the record are used. */
#include "thread.h"

#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct thread *discarded; /* detached threads that may not have stopped yet */
static volatile int discarded_lock;

__attribute__((weak)) void __lind_keys_destroy(struct thread *thread)
{
    (void)thread;
}

void __lind_thread_discard(struct thread *thread)
{
    __lind_lock(&discarded_lock);
    thread->next_free = discarded;
    discarded = thread;
    __lind_unlock(&discarded_lock);
}

/* Give back the memory of discarded threads that have stopped. */
static void sweep(void)
{
    __lind_lock(&discarded_lock);
    for (struct thread **at = &discarded; *at;) {
        struct thread *thread = *at;
        if (thread->tid == 0) {
            *at = thread->next_free;
            munmap(thread->mapping, thread->mapping_size);
        } else {
            at = &thread->next_free;
        }
    }
    __lind_unlock(&discarded_lock);
}

/* The last steps use no stack: who joins may take it away as soon as the id is 0. */
__attribute__((noinline)) _Noreturn static void stop(struct thread *thread)
{
    if (thread != &__lind_main_thread)
        __atomic_store_n(&thread->tid, 0, __ATOMIC_SEQ_CST);
    RAW(LIND_CALL_FUTEX, POINTER(&thread->tid), INT(FUTEX_WAKE_PRIVATE), INT(INT_MAX), 0, 0, 0);
    for (;;)
        RAW(LIND_CALL_EXIT, 0);
}

_Noreturn void pthread_exit(void *result)
{
    struct thread *thread = __lind_self();
    thread->cancel_disabled = 1;
    thread->result = result;
    while (thread->cleanup)
        __lind_cleanup_pop(thread->cleanup, 1);
    __lind_keys_destroy(thread);
    if (__atomic_sub_fetch(&__lind_live_threads, 1, __ATOMIC_SEQ_CST) == 0)
        exit(0);
    if (__atomic_exchange_n(&thread->detached, DETACH_ENDED, __ATOMIC_SEQ_CST) == DETACH_DETACHED)
        __lind_thread_discard(thread);
    stop(thread);
}

__attribute__((noinline)) _Noreturn static void begin(struct thread *thread)
{
    __lind_set_self(thread);
    pthread_exit(thread->start(thread->argument));
}

/* The call that returns twice. */
__attribute__((noinline)) static int clone_call(struct thread *thread)
{
    int result = RAW(LIND_CALL_CLONE, POINTER(thread->clone_arguments));
    if (result == 0)
        begin(thread);
    return result;
}

/* How much stack the creator uses: the host sets the new stack pointer as far below the top as the creator's is. */
static size_t depth(void)
{
    struct thread *self = __lind_self();
    char here;
    size_t used = self->stack_size ? self->stack_low + self->stack_size - &here : DEFAULT_STACK;
    return used > 64u * 1024 * 1024 ? DEFAULT_STACK : used + 1024;
}

/* A record at the top of a new mapping, or NULL. */
static struct thread *make(const pthread_attr_t *attributes)
{
    size_t wanted = attributes && attributes->__stack_size ? attributes->__stack_size : DEFAULT_STACK;
    size_t guard = attributes ? attributes->__guard_size : PAGE;
    size_t record = (sizeof(struct thread) + 63) / 64 * 64;
    guard = (guard + PAGE - 1) / PAGE * PAGE;
    size_t size = guard + (wanted + depth() + record + __builtin_wasm_tls_size() + PAGE - 1) / PAGE * PAGE;
    char *mapping = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED)
        return 0;
    if (guard)
        mprotect(mapping, guard, PROT_NONE);
    struct thread *thread = (struct thread *)(mapping + size - record);
    thread->mapping = mapping;
    thread->mapping_size = size;
    thread->stack_low = mapping + guard;
    thread->stack_size = (char *)thread - thread->stack_low;
    if (attributes && attributes->__stack_low) {
        thread->stack_low = attributes->__stack_low;
        thread->stack_size = attributes->__stack_size / 16 * 16;
    }
    return thread;
}

int pthread_create(pthread_t *restrict out, const pthread_attr_t *restrict attributes, void *(*start)(void *),
                   void *restrict argument)
{
    sweep();
    struct thread *thread = make(attributes);
    if (!thread)
        return EAGAIN;
    thread->detached = attributes && attributes->__detached ? DETACH_DETACHED : DETACH_JOINABLE;
    thread->start = start;
    thread->argument = argument;
    uint64_t *wire = thread->clone_arguments;
    wire[0] = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
              CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    wire[2] = POINTER(&thread->tid);
    wire[3] = POINTER(&thread->tid);
    wire[5] = (uintptr_t)thread->stack_low + thread->stack_size;
    wire[6] = thread->stack_size;
    __atomic_add_fetch(&__lind_live_threads, 1, __ATOMIC_SEQ_CST);
    *out = (pthread_t)(uintptr_t)thread;
    int result = clone_call(thread);
    if (result > 0)
        return 0;
    __atomic_sub_fetch(&__lind_live_threads, 1, __ATOMIC_SEQ_CST);
    munmap(thread->mapping, thread->mapping_size);
    return result == -ENOMEM ? ENOMEM : EAGAIN;
}
