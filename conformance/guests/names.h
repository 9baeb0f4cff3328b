/* Error numbers by name, for guests that show them. */
#ifndef GUEST_NAMES_H
#define GUEST_NAMES_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static inline const char *name_of(int number)
{
#define NAME(name) \
    if (number == name) \
        return #name
    NAME(EPERM); NAME(ENOENT); NAME(ESRCH); NAME(EINTR); NAME(EIO); NAME(ENXIO); NAME(E2BIG); NAME(ENOEXEC);
    NAME(EBADF); NAME(ECHILD); NAME(EAGAIN); NAME(ENOMEM); NAME(EACCES); NAME(EFAULT); NAME(EBUSY); NAME(EEXIST);
    NAME(EXDEV); NAME(ENOTDIR); NAME(EISDIR); NAME(EINVAL); NAME(EMFILE); NAME(ENOTTY); NAME(EFBIG); NAME(ENOSPC);
    NAME(ESPIPE); NAME(EROFS); NAME(EMLINK); NAME(EPIPE); NAME(EDOM); NAME(ERANGE); NAME(EDEADLK);
    NAME(ENAMETOOLONG); NAME(ENOSYS); NAME(ENOTEMPTY); NAME(ELOOP); NAME(EOVERFLOW); NAME(EILSEQ); NAME(ENOTSOCK);
    NAME(EDESTADDRREQ); NAME(EMSGSIZE); NAME(EPROTOTYPE); NAME(ENOPROTOOPT); NAME(EPROTONOSUPPORT);
    NAME(EOPNOTSUPP); NAME(EAFNOSUPPORT); NAME(EADDRINUSE); NAME(EADDRNOTAVAIL); NAME(ECONNABORTED);
    NAME(ECONNRESET); NAME(ENOBUFS); NAME(EISCONN); NAME(ENOTCONN); NAME(ESHUTDOWN); NAME(ETIMEDOUT);
    NAME(ECONNREFUSED); NAME(EALREADY); NAME(EINPROGRESS); NAME(EIDRM); NAME(ENODATA); NAME(EBADFD);
    return number ? strerror(number) : "0";
}

/* What a call gave: its result, and the error's name where it failed. */
static inline void show(const char *what, long result)
{
    if (result == -1)
        printf("%s: %s\n", what, name_of(errno));
    else
        printf("%s: %ld\n", what, result);
}

/* A read or write may do less than it was asked for: these go on until all is done, or the end. */
static inline long read_all(int fd, void *to, unsigned long size)
{
    unsigned long done = 0;
    while (done < size) {
        long got = read(fd, (char *)to + done, size - done);
        if (got <= 0)
            return done ? (long)done : got;
        done += got;
    }
    return done;
}

static inline long write_all(int fd, const void *from, unsigned long size)
{
    unsigned long done = 0;
    while (done < size) {
        long put = write(fd, (const char *)from + done, size - done);
        if (put <= 0)
            return done ? (long)done : put;
        done += put;
    }
    return done;
}

#endif
