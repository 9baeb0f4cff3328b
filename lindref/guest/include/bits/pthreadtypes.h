/* Thread objects, in the sizes of the guest ABI: mutex 24, condition 48, attributes 36, semaphore 16. */
#ifndef _BITS_PTHREADTYPES_H
#define _BITS_PTHREADTYPES_H

#include <bits/alltypes.h>

typedef unsigned pthread_key_t;
typedef int pthread_once_t;
typedef volatile int pthread_spinlock_t;

typedef struct {
    volatile int __lock;      /* 0 free, 1 taken, 2 taken and someone waits */
    unsigned __count;         /* how often the owner of a recursive mutex holds it */
    volatile int __owner;     /* thread id of the owner */
    unsigned __nusers;
    int __kind;               /* PTHREAD_MUTEX_…, plus 128 when shared between processes */
    int __spare;
} pthread_mutex_t;

typedef struct {
    unsigned __flags;         /* the kind, plus 128 when shared between processes */
} pthread_mutexattr_t;

typedef struct {
    volatile int __sequence __attribute__((aligned(8))); /* changes at every signal; waiters sleep on it */
    volatile int __waiters;
    int __shared;
    int __clock;
    unsigned __spare[8];
} pthread_cond_t;

typedef struct {
    unsigned __shared : 1;
    unsigned __clock : 31;
} pthread_condattr_t;

typedef struct {
    volatile int __state;     /* -1: one writer, otherwise the number of readers */
    volatile int __waiters;
    int __shared;
    unsigned __spare[5];
} pthread_rwlock_t;

typedef struct {
    int __shared;
    int __spare;
} pthread_rwlockattr_t;

typedef struct {
    volatile int __lock;
    volatile int __arrived;
    volatile int __round;
    unsigned __count;
    int __shared;
} pthread_barrier_t;

typedef struct {
    int __shared;
} pthread_barrierattr_t;

typedef struct {
    unsigned long __stack_size;
    void *__stack_low;
    unsigned long __guard_size;
    int __detached;
    unsigned __spare[5];
} pthread_attr_t;

#endif
