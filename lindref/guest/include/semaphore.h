/* POSIX: semaphores. */
#ifndef _SEMAPHORE_H
#define _SEMAPHORE_H

#include <features.h>
#include <bits/alltypes.h>

__BEGIN_DECLS

/* 16 bytes. */
typedef struct {
    volatile int __value;
    volatile int __waiters;
    int __shared;
    int __spare;
} sem_t;

#define SEM_FAILED ((sem_t *)0)
#define SEM_VALUE_MAX 2147483647

int sem_init(sem_t *semaphore, int shared, unsigned value);
int sem_destroy(sem_t *semaphore);
sem_t *sem_open(const char *name, int flags, ...);
int sem_close(sem_t *semaphore);
int sem_unlink(const char *name);
int sem_wait(sem_t *semaphore);
int sem_trywait(sem_t *semaphore);
int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict limit);
int sem_clockwait(sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict limit);
int sem_post(sem_t *semaphore);
int sem_getvalue(sem_t *restrict semaphore, int *restrict value);

__END_DECLS

#endif
