/* epoll. */
#include "../internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>

int epoll_create(int size)
{
    return CALL(LIND_CALL_EPOLL_CREATE, INT(size));
}

int epoll_create1(int flags)
{
    return CALL(LIND_CALL_EPOLL_CREATE1, INT(flags));
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    return CALL(LIND_CALL_EPOLL_CTL, INT(epoll), INT(operation), INT(fd), POINTER(event));
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
    __lind_cancel_point();
    return CALL(LIND_CALL_EPOLL_WAIT, INT(epoll), POINTER(events), INT(count), INT(timeout));
}

/* The system has no call that also changes the mask; here the mask changes around the wait. */
int epoll_pwait(int epoll, struct epoll_event *events, int count, int timeout, const sigset_t *mask)
{
    sigset_t old;
    if (mask)
        sigprocmask(SIG_SETMASK, mask, &old);
    int result = epoll_wait(epoll, events, count, timeout);
    if (mask) {
        int saved = errno;
        sigprocmask(SIG_SETMASK, &old, 0);
        errno = saved;
    }
    return result;
}
