/* Semaphores. Named ones are files that all who open them map. */
#include "thread.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(int number)
{
    errno = number;
    return -1;
}

int sem_init(sem_t *semaphore, int shared, unsigned value)
{
    if (value > SEM_VALUE_MAX)
        return fail(EINVAL);
    *semaphore = (sem_t){.__value = value, .__shared = shared != 0};
    return 0;
}

int sem_destroy(sem_t *semaphore)
{
    (void)semaphore;
    return 0;
}

static int take(sem_t *semaphore)
{
    int seen = semaphore->__value;
    while (seen > 0)
        if (__atomic_compare_exchange_n(&semaphore->__value, &seen, seen - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            return 1;
    return 0;
}

int sem_trywait(sem_t *semaphore)
{
    return take(semaphore) ? 0 : fail(EAGAIN);
}

static void leave(void *semaphore)
{
    __atomic_sub_fetch(&((sem_t *)semaphore)->__waiters, 1, __ATOMIC_SEQ_CST);
}

int sem_clockwait(sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict limit)
{
    __lind_cancel_point();
    while (!take(semaphore)) {
        int result;
        if (__lind_bad_time(limit) || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
            return fail(EINVAL);
        __atomic_add_fetch(&semaphore->__waiters, 1, __ATOMIC_SEQ_CST);
        pthread_cleanup_push(leave, semaphore);
        result = __lind_cancellable_wait(&semaphore->__value, 0, clock, limit, semaphore->__shared);
        pthread_cleanup_pop(1);
        if (result == -ETIMEDOUT || result == -EINTR)
            return fail(-result);
    }
    return 0;
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict limit)
{
    return sem_clockwait(semaphore, CLOCK_REALTIME, limit);
}

int sem_wait(sem_t *semaphore)
{
    return sem_clockwait(semaphore, CLOCK_REALTIME, 0);
}

int sem_post(sem_t *semaphore)
{
    int seen = semaphore->__value;
    do {
        if (seen == SEM_VALUE_MAX)
            return fail(EOVERFLOW);
    } while (!__atomic_compare_exchange_n(&semaphore->__value, &seen, seen + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    if (__atomic_load_n(&semaphore->__waiters, __ATOMIC_SEQ_CST))
        __lind_futex_wake(&semaphore->__value, 1, semaphore->__shared);
    return 0;
}

int sem_getvalue(sem_t *restrict semaphore, int *restrict value)
{
    *value = semaphore->__value;
    return 0;
}

/* Named semaphores that this program has open: the same name gives the same address. */
static struct opened {
    sem_t *semaphore;
    int count;
    ino_t inode;
    dev_t device;
    struct opened *next;
} *all;
static volatile int lock;

static int path_of(char *path, const char *name)
{
    while (*name == '/')
        name++;
    if (!*name || strchr(name, '/'))
        return fail(EINVAL);
    if (strlen(name) > NAME_MAX - 4)
        return fail(ENAMETOOLONG);
    sprintf(path, "/dev/shm/sem.%s", name);
    return 0;
}

static sem_t *map(int fd)
{
    struct stat status;
    if (fstat(fd, &status))
        return SEM_FAILED;
    for (struct opened *it = all; it; it = it->next) {
        if (it->inode == status.st_ino && it->device == status.st_dev) {
            it->count++;
            return it->semaphore;
        }
    }
    struct opened *it = malloc(sizeof *it);
    void *at = it ? mmap(0, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (at == MAP_FAILED) {
        free(it);
        return SEM_FAILED;
    }
    *it = (struct opened){at, 1, status.st_ino, status.st_dev, all};
    all = it;
    return at;
}

/* A new one is written completely under another name, and then appears under its own. */
static int make(const char *path, mode_t mode, unsigned value)
{
    char other[PATH_MAX];
    sem_t fresh = {.__value = value, .__shared = 1};
    sprintf(other, "%s.%d.%d", path, (int)getpid(), __lind_self()->tid);
    int fd = open(other, O_RDWR | O_CREAT | O_EXCL, mode);
    if (fd < 0)
        return -1;
    int failed = write(fd, &fresh, sizeof fresh) != sizeof fresh || link(other, path);
    int saved = errno;
    unlink(other);
    if (!failed)
        return fd;
    close(fd);
    return fail(saved);
}

sem_t *sem_open(const char *name, int flags, ...)
{
    char path[PATH_MAX];
    mode_t mode = 0;
    unsigned value = 0;
    if (flags & O_CREAT) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        value = va_arg(args, unsigned);
        va_end(args);
        if (value > SEM_VALUE_MAX) {
            errno = EINVAL;
            return SEM_FAILED;
        }
    }
    if (path_of(path, name))
        return SEM_FAILED;
    int fd = -1;
    errno = ENOENT;
    if (!(flags & O_CREAT) || !(flags & O_EXCL))
        fd = open(path, O_RDWR);
    if (fd < 0 && flags & O_CREAT && errno == ENOENT) {
        fd = make(path, mode, value);
        if (fd < 0 && errno == EEXIST && !(flags & O_EXCL))
            fd = open(path, O_RDWR);
    }
    if (fd < 0)
        return SEM_FAILED;
    __lind_lock(&lock);
    sem_t *result = map(fd);
    __lind_unlock(&lock);
    close(fd);
    return result;
}

int sem_close(sem_t *semaphore)
{
    int result = fail(EINVAL);
    __lind_lock(&lock);
    for (struct opened **at = &all; *at; at = &(*at)->next) {
        struct opened *it = *at;
        if (it->semaphore != semaphore)
            continue;
        result = 0;
        if (--it->count == 0) {
            *at = it->next;
            munmap(semaphore, sizeof *semaphore);
            free(it);
        }
        break;
    }
    __lind_unlock(&lock);
    return result;
}

int sem_unlink(const char *name)
{
    char path[PATH_MAX];
    return path_of(path, name) ? -1 : unlink(path);
}
