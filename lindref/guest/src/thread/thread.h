/* What the thread functions share. */
#ifndef LIND_THREAD_H
#define LIND_THREAD_H

#include "../internal.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <time.h>

#define DEFAULT_STACK (1024u * 1024)
#define PAGE 4096u

/* Who gives a thread's memory back. */
enum { DETACH_JOINABLE, DETACH_DETACHED, DETACH_ENDED };

/* Bit of __kind and __flags: the word lies in memory that several cages share. */
#define SHARED 128

void __lind_thread_discard(struct thread *thread);      /* nobody will join it: its memory is free once it has ended */
void __lind_keys_destroy(struct thread *thread);        /* thread/keys.c, when that is part of the program */

/* The first of a thread's identity that is the same in no other thread of any cage. */
static inline int __lind_owner(void)
{
    return __lind_self()->tid + ((int)__lind_cageid << 20);
}

/* Whether a limit is a time at all. */
static inline int __lind_bad_time(const struct timespec *limit)
{
    return limit && (limit->tv_nsec < 0 || limit->tv_nsec >= 1000000000);
}

/* Wait for the word to change as in __lind_futex_wait_until, but so that pthread_cancel ends it. */
int __lind_cancellable_wait(volatile int *word, int value, int clock, const struct timespec *limit, int shared);

/* The lock protocol of lock.c with a limit: 0, ETIMEDOUT or EINVAL. */
int __lind_lock_until(volatile int *lock, int clock, const struct timespec *limit, int shared);
void __lind_unlock_shared(volatile int *lock, int shared);

#endif
