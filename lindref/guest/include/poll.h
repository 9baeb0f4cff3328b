/* POSIX: poll. */
#ifndef _POLL_H
#define _POLL_H

#include <features.h>
#include <bits/alltypes.h>

__BEGIN_DECLS

#define POLLIN 1
#define POLLPRI 2
#define POLLOUT 4
#define POLLERR 8
#define POLLHUP 16
#define POLLNVAL 32
#define POLLRDNORM 64
#define POLLRDBAND 128
#define POLLWRNORM 256
#define POLLWRBAND 512
#define POLLMSG 1024
#define POLLREMOVE 4096
#define POLLRDHUP 8192

struct pollfd {
    int fd;
    short events;
    short revents;
};
typedef unsigned long nfds_t;

int poll(struct pollfd *entries, nfds_t count, int timeout);
int ppoll(struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *mask);

__END_DECLS

#endif
