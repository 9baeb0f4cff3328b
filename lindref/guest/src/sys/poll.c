/* Waiting for descriptors. */
#include "../internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>

int poll(struct pollfd *entries, nfds_t count, int timeout)
{
    __lind_cancel_point();
    return CALL(LIND_CALL_POLL, POINTER(entries), SIZE(count), INT(timeout));
}

/* The system takes milliseconds: a time that is not a whole number of them is rounded up. */
int ppoll(struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    long long milliseconds = -1;
    uint64_t wire = 0;
    if (timeout) {
        if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000) {
            errno = EINVAL;
            return -1;
        }
        milliseconds = timeout->tv_sec * 1000LL + (timeout->tv_nsec + 999999) / 1000000;
        if (milliseconds > INT_MAX)
            milliseconds = INT_MAX;
    }
    if (mask)
        wire = mask->__bits[0] | (uint64_t)mask->__bits[1] << 32;
    return CALL(LIND_CALL_PPOLL, POINTER(entries), SIZE(count), INT(milliseconds), POINTER(mask ? &wire : 0));
}

int select(int count, fd_set *restrict readable, fd_set *restrict writable, fd_set *restrict exceptional,
           struct timeval *restrict timeout)
{
    struct wire_timeval wire = {0, 0};
    if (timeout)
        wire = (struct wire_timeval){timeout->tv_sec, timeout->tv_usec};
    __lind_cancel_point();
    return CALL(LIND_CALL_SELECT, INT(count), POINTER(readable), POINTER(writable), POINTER(exceptional),
                POINTER(timeout ? &wire : 0));
}

/* The system has no call that also changes the mask; here the mask changes around the wait. */
int pselect(int count, fd_set *restrict readable, fd_set *restrict writable, fd_set *restrict exceptional,
            const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
    struct timeval limit;
    sigset_t old;
    if (timeout) {
        if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000) {
            errno = EINVAL;
            return -1;
        }
        limit = (struct timeval){timeout->tv_sec, (timeout->tv_nsec + 999) / 1000};
        if (limit.tv_usec == 1000000)
            limit = (struct timeval){limit.tv_sec + 1, 0};
    }
    if (mask)
        sigprocmask(SIG_SETMASK, mask, &old);
    int result = select(count, readable, writable, exceptional, timeout ? &limit : 0);
    if (mask) {
        int saved = errno;
        sigprocmask(SIG_SETMASK, &old, 0);
        errno = saved;
    }
    return result;
}
