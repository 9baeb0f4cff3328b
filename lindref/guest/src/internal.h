/* What the parts of the library share and programs do not see. */
#ifndef LIND_INTERNAL_H
#define LIND_INTERNAL_H

#include <lind_syscall.h>
#include <stddef.h>
#include <stdint.h>
#include <bits/alltypes.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define weak_alias(target, name) extern __typeof(target) name __attribute__((weak, alias(#target)))

/* ---- Calls (lind/call.c). Base address and cage id are cached in linear memory. */

extern uint64_t __lind_base;
extern uint64_t __lind_cageid;

void __lind_learn_identity(void);

/* Any call: every argument belongs to this cage. __lind_raw gives the bare result, __lind_call sets errno. */
int __lind_raw(uint32_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6);
int __lind_call(uint32_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6);

#define CALL_FIRST_SIX(f, n, a, b, c, d, e, g, ...) f(n, a, b, c, d, e, g)
#define CALL_EXPAND(...) CALL_FIRST_SIX(__VA_ARGS__)
#define CALL_PAD LIND_NOTUSED, LIND_NOTUSED, LIND_NOTUSED, LIND_NOTUSED, LIND_NOTUSED, LIND_NOTUSED
#define CALL(number, ...) CALL_EXPAND(__lind_call, number, __VA_ARGS__, CALL_PAD)
#define RAW(number, ...) CALL_EXPAND(__lind_raw, number, __VA_ARGS__, CALL_PAD)
#define CALL0(number) CALL_EXPAND(__lind_call, number, CALL_PAD, 0)

/* How arguments travel: a C int or long sign-extended, a size zero-extended, a pointer as system-wide address. */
#define INT(value) ((uint64_t)(int64_t)(value))
#define SIZE(value) ((uint64_t)(size_t)(value))
#define POINTER(value) lind_host_address((const void *)(value))

/* A raw result as libc functions give it: errno and -1, or the value. */
int __lind_result(int raw);

/* ---- The two shapes of time. The system exchanges 64-bit fields only. */

struct wire_timespec {
    int64_t seconds;
    int64_t nanoseconds;
};
struct wire_timeval {
    int64_t seconds;
    int64_t microseconds;
};

/* ---- Threads (thread/self.c). */

struct __lind_cleanup;

struct key_value {
    const void *pointer;
    unsigned generation;          /* of the key that it was set for */
};

struct thread {
    volatile int tid;             /* 0 once the thread has ended; the system writes it, joiners sleep on it */
    int errno_value;
    volatile int detached;        /* DETACH_… in thread/thread.h */
    void *result;
    void *(*start)(void *);
    void *argument;
    char *mapping;                /* what to unmap when it is over; NULL for the first thread */
    size_t mapping_size;
    char *stack_low;
    size_t stack_size;
    struct thread *next_free;
    struct key_value *key_values; /* PTHREAD_KEYS_MAX of them, allocated at the first pthread_setspecific */
    struct __lind_cleanup *cleanup;
    volatile int cancel_pending;
    volatile int cancel_disabled;
    volatile int *volatile sleeping_on; /* the word of a wait that pthread_cancel may end */
    char name[16];
    uint64_t clone_arguments[11];
};

struct thread *__lind_self(void);
void __lind_set_self(struct thread *thread);
extern struct thread __lind_main_thread;
extern volatile int __lind_live_threads;

/* ---- Locks that do not nest (thread/lock.c): 0 free, 1 taken, 2 taken and someone waits. */

void __lind_lock(volatile int *lock);
void __lind_unlock(volatile int *lock);

/* Sleep while *word is `value`; `relative` may be NULL. The raw result: 0, -EAGAIN, -EINTR, -ETIMEDOUT. */
int __lind_futex_wait(volatile int *word, int value, const struct wire_timespec *relative, int shared);
void __lind_futex_wake(volatile int *word, int count, int shared);

/* Sleep until a time on `clock` (CLOCK_REALTIME or CLOCK_MONOTONIC), or without end where `limit` is NULL. */
int __lind_futex_wait_until(volatile int *word, int value, int clock, const struct timespec *limit, int shared);

/* A place where a cancelled thread ends (thread/cancel.c, when that is part of the program). */
void __lind_cancel_point(void);

/* What fork does before, and after in each of the two (thread/atfork.c, when that is part of the program). */
enum { FORK_BEFORE, FORK_PARENT, FORK_CHILD };
void __lind_fork_handlers(int when);

/* ---- Process end (crt/exit.c) and streams (stdio/). */

void __lind_flush_streams(void);

/* ---- Numbers and text. */

/* A decimal rendering of mantissa * 2^exponent; see stdio/decimal.c. */
struct decimal {
    int point;        /* digits before the decimal point (may be negative or more than count) */
    int count;        /* digits in `digits` */
    int more;         /* whether the value goes on after these digits with something non-zero */
    char *digits;     /* values 0…9, not characters */
};
/* Digits until `places` of them follow the point (places >= 0), or until there are `significant`, and up to nine more;
 * `digits` must have room for 800 (double) or 11,600 (long double). Zero has no digits. */
void __lind_decimal(struct decimal *out, uint64_t high, uint64_t low, int exponent, int places, int significant,
                    char *digits);

#endif
