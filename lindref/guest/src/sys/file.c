/* Descriptors: opening, reading, writing, duplicating. */
#include "../internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    return CALL(LIND_CALL_OPEN, POINTER(path), INT(flags), SIZE(mode));
}

int openat(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    return CALL(LIND_CALL_OPENAT, INT(dir), POINTER(path), INT(flags), SIZE(mode));
}

int creat(const char *path, mode_t mode)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int close(int fd)
{
    return CALL(LIND_CALL_CLOSE, INT(fd));
}

ssize_t read(int fd, void *buffer, size_t size)
{
    return CALL(LIND_CALL_READ, INT(fd), POINTER(buffer), SIZE(size));
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    return CALL(LIND_CALL_WRITE, INT(fd), POINTER(buffer), SIZE(size));
}

ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
    return CALL(LIND_CALL_PREAD64, INT(fd), POINTER(buffer), SIZE(size), INT(offset));
}

ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
    return CALL(LIND_CALL_PWRITE64, INT(fd), POINTER(buffer), SIZE(size), INT(offset));
}

off_t lseek(int fd, off_t offset, int whence)
{
    return CALL(LIND_CALL_LSEEK, INT(fd), INT(offset), INT(whence));
}

/* The result of the call is 32 bits wide whatever the offset. */
off64_t lseek64(int fd, off64_t offset, int whence)
{
    return CALL(LIND_CALL_LSEEK, INT(fd), INT(offset), INT(whence));
}

int dup(int fd)
{
    return CALL(LIND_CALL_DUP, INT(fd));
}

int dup2(int from, int to)
{
    return CALL(LIND_CALL_DUP2, INT(from), INT(to));
}

int dup3(int from, int to, int flags)
{
    return CALL(LIND_CALL_DUP3, INT(from), INT(to), INT(flags));
}

int pipe(int fds[2])
{
    return CALL(LIND_CALL_PIPE, POINTER(fds));
}

int pipe2(int fds[2], int flags)
{
    return CALL(LIND_CALL_PIPE2, POINTER(fds), INT(flags));
}

int fsync(int fd)
{
    return CALL(LIND_CALL_FSYNC, INT(fd));
}

int fdatasync(int fd)
{
    return CALL(LIND_CALL_FDATASYNC, INT(fd));
}

void sync(void)
{
}

int ftruncate(int fd, off_t length)
{
    return CALL(LIND_CALL_FTRUNCATE, INT(fd), INT(length));
}

int truncate(const char *path, off_t length)
{
    return CALL(LIND_CALL_TRUNCATE, POINTER(path), INT(length));
}

int flock(int fd, int operation)
{
    return CALL(LIND_CALL_FLOCK, INT(fd), INT(operation));
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    void *argument = va_arg(args, void *);
    va_end(args);
    return CALL(LIND_CALL_IOCTL, INT(fd), SIZE(request), POINTER(argument));
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags)
{
    return CALL(LIND_CALL_SYNC_FILE_RANGE, INT(fd), INT(offset), INT(length), SIZE(flags));
}

ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t size, unsigned flags)
{
    return CALL(LIND_CALL_COPY_FILE_RANGE, INT(from), POINTER(from_offset), INT(to), POINTER(to_offset), SIZE(size),
                SIZE(flags));
}

/* Only a terminal answers the question for its window size. */
int isatty(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0)
        return 1;
    if (errno != EBADF)
        errno = ENOTTY;
    return 0;
}

int posix_fadvise(int fd, off_t offset, off_t length, int advice)
{
    (void)fd, (void)offset, (void)length, (void)advice;
    return 0;
}
