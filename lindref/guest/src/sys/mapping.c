/* Memory calls. mmap and brk take pointers of the cage, munmap and mprotect take system-wide addresses. */
#include "../internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static char *current_break;
static volatile int break_lock;

/* An address above 2 GiB is a negative int; only the numbers just below zero are errors. */
static void *address_result(int result)
{
    return (void *)result;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    return address_result(CALL(LIND_CALL_MMAP, (uintptr_t)address, SIZE(length), INT(protection), INT(flags), INT(fd),
                               INT(offset)));
}

int munmap(void *address, size_t length)
{
    return CALL(LIND_CALL_MUNMAP, POINTER(address), SIZE(length));
}

int mprotect(void *address, size_t length, int protection)
{
    return CALL(LIND_CALL_MPROTECT, POINTER(address), SIZE(length), INT(protection));
}

int brk(void *address)
{
    int result = CALL(LIND_CALL_BRK, INT((intptr_t)address));
    if (result == -1)
        return -1;
    current_break = address_result(result);
    return 0;
}

/* The system rounds the break up to a page, so the next break can be further on than what was asked for. */
void *sbrk(intptr_t increment)
{
    __lind_lock(&break_lock);
    char *old = current_break;
    if (!old && brk(0) == 0)
        old = current_break;
    if (!old || (increment && brk(old + increment)))
        old = (char *)-1;
    __lind_unlock(&break_lock);
    return old;
}

/* The system has no call for these: a shared file mapping is the file, and advice may be ignored. */
int msync(void *address, size_t length, int flags)
{
    (void)address, (void)length, (void)flags;
    return 0;
}

int madvise(void *address, size_t length, int advice)
{
    (void)address, (void)length, (void)advice;
    return 0;
}

int posix_madvise(void *address, size_t length, int advice)
{
    return madvise(address, length, advice);
}

int mlock(const void *address, size_t length)
{
    (void)address, (void)length;
    return 0;
}

int munlock(const void *address, size_t length)
{
    (void)address, (void)length;
    return 0;
}

int getpagesize(void)
{
    return 4096;
}
