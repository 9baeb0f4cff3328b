/* POSIX: select. */
#ifndef _SYS_SELECT_H
#define _SYS_SELECT_H

#include <features.h>
#include <bits/alltypes.h>

__BEGIN_DECLS

#define FD_SETSIZE 1024

typedef struct {
    unsigned long fds_bits[FD_SETSIZE / 32];
} fd_set;

#define FD_ZERO(set) __builtin_memset(set, 0, sizeof(fd_set))
#define FD_SET(fd, set) ((void)((set)->fds_bits[(fd) / 32] |= 1UL << (fd) % 32))
#define FD_CLR(fd, set) ((void)((set)->fds_bits[(fd) / 32] &= ~(1UL << (fd) % 32)))
#define FD_ISSET(fd, set) (((set)->fds_bits[(fd) / 32] >> (fd) % 32 & 1) != 0)

int select(int count, fd_set *restrict readable, fd_set *restrict writable, fd_set *restrict exceptional,
           struct timeval *restrict timeout);
int pselect(int count, fd_set *restrict readable, fd_set *restrict writable, fd_set *restrict exceptional,
            const struct timespec *restrict timeout, const sigset_t *restrict mask);

__END_DECLS

#endif
