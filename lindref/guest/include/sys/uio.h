/* POSIX: scattered reads and gathered writes. */
#ifndef _SYS_UIO_H
#define _SYS_UIO_H

#include <features.h>
#include <bits/alltypes.h>

__BEGIN_DECLS

#define UIO_MAXIOV 1024

ssize_t readv(int fd, const struct iovec *parts, int count);
ssize_t writev(int fd, const struct iovec *parts, int count);
ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset);
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset);

__END_DECLS

#endif
