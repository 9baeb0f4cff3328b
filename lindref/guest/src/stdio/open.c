/* Opening and closing streams on descriptors, and their buffers. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int __lind_mode_flags(const char *mode, unsigned *flags)
{
    int plus = strchr(mode, '+') != 0, result;
    switch (*mode) {
    case 'r':
        result = 0;
        *flags = FILE_READ;
        break;
    case 'w':
        result = O_CREAT | O_TRUNC;
        *flags = FILE_WRITE;
        break;
    case 'a':
        result = O_CREAT | O_APPEND;
        *flags = FILE_WRITE | FILE_APPEND;
        break;
    default:
        errno = EINVAL;
        return -1;
    }
    result |= plus ? O_RDWR : *flags & FILE_WRITE ? O_WRONLY : O_RDONLY;
    if (plus)
        *flags |= FILE_READ | FILE_WRITE;
    if (strchr(mode, 'x'))
        result |= O_EXCL;
    if (strchr(mode, 'e'))
        result |= O_CLOEXEC;
    return result;
}

FILE *__lind_file_new(const struct file_kind *kind, int fd, unsigned flags)
{
    FILE *file = calloc(1, sizeof *file);
    if (!file)
        return 0;
    file->kind = kind;
    file->fd = fd;
    file->flags = flags;
    __lind_lock(&__lind_file_list_lock);
    file->next = __lind_file_list;
    if (file->next)
        file->next->previous = file;
    __lind_file_list = file;
    __lind_unlock(&__lind_file_list_lock);
    return file;
}

FILE *fopen(const char *restrict path, const char *restrict mode)
{
    unsigned flags;
    int open_flags = __lind_mode_flags(mode, &flags);
    int fd = open_flags < 0 ? -1 : open(path, open_flags, 0666);
    if (fd < 0)
        return 0;
    FILE *file = __lind_file_new(&__lind_fd_kind, fd, flags | FILE_UNDECIDED);
    if (!file)
        close(fd);
    return file;
}

FILE *fdopen(int fd, const char *mode)
{
    unsigned flags;
    int status = fcntl(fd, F_GETFL);
    if (__lind_mode_flags(mode, &flags) < 0 || status < 0)
        return 0;
    if ((status & O_ACCMODE) != O_RDWR && (status & O_ACCMODE) != (flags & FILE_WRITE ? O_WRONLY : O_RDONLY)) {
        errno = EINVAL;
        return 0;
    }
    if (flags & FILE_APPEND && !(status & O_APPEND))
        fcntl(fd, F_SETFL, status | O_APPEND);
    return __lind_file_new(&__lind_fd_kind, fd, flags | FILE_UNDECIDED);
}

static void drop_buffer(FILE *file)
{
    if (file->flags & FILE_OWN_BUFFER)
        free(file->buffer - PUSHBACK);
    file->flags &= ~FILE_OWN_BUFFER;
    file->buffer = 0;
}

int fclose(FILE *file)
{
    __lind_file_lock(file);
    int result = __lind_file_flush(file);
    if (file->kind->close && file->kind->close(file))
        result = EOF;
    drop_buffer(file);
    if (file->flags & FILE_STATIC) { /* a standard stream: it stays, but nothing can be done with it */
        file->flags = FILE_STATIC;
        file->fd = -1;
        __lind_file_unlock(file);
        return result;
    }
    __lind_lock(&__lind_file_list_lock);
    if (file->previous)
        file->previous->next = file->next;
    else
        __lind_file_list = file->next;
    if (file->next)
        file->next->previous = file->previous;
    __lind_unlock(&__lind_file_list_lock);
    free(file);
    return result;
}

/* The stream keeps its identity and, where it can, its descriptor number. */
FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict file)
{
    unsigned flags;
    int open_flags = __lind_mode_flags(mode, &flags);
    __lind_file_lock(file);
    __lind_file_flush(file);
    int fd = open_flags >= 0 && path ? open(path, open_flags, 0666) : -1;
    if (fd >= 0 && file->fd >= 0 && fd != file->fd && file->kind == &__lind_fd_kind) {
        int moved = dup3(fd, file->fd, open_flags & O_CLOEXEC);
        close(fd);
        fd = moved;
    }
    if (fd < 0) {
        __lind_file_unlock(file);
        fclose(file);
        return 0;
    }
    unsigned kept = file->flags & (FILE_STATIC | FILE_OWN_BUFFER | FILE_UNBUFFERED);
    file->flags = kept | flags | (kept & FILE_UNBUFFERED ? 0 : FILE_UNDECIDED);
    file->fd = fd;
    file->kind = &__lind_fd_kind;
    file->position = file->end = file->buffer;
    __lind_file_unlock(file);
    return file;
}

/* A buffer of the caller's is used behind PUSHBACK bytes of it; one that is too small for that is not used. */
int setvbuf(FILE *restrict file, char *restrict buffer, int mode, size_t size)
{
    if (mode != _IOFBF && mode != _IOLBF && mode != _IONBF)
        return -1;
    __lind_file_lock(file);
    __lind_file_flush(file);
    file->flags &= ~(FILE_UNBUFFERED | FILE_LINE | FILE_UNDECIDED | FILE_READING | FILE_WRITING);
    if (mode == _IONBF) {
        file->flags |= FILE_UNBUFFERED;
    } else {
        if (mode == _IOLBF)
            file->flags |= FILE_LINE;
        if (buffer && size > 2 * PUSHBACK) {
            drop_buffer(file);
            file->buffer = buffer + PUSHBACK;
            file->size = size - PUSHBACK;
        }
    }
    file->position = file->end = file->buffer;
    __lind_file_unlock(file);
    return 0;
}

void setbuf(FILE *restrict file, char *restrict buffer)
{
    setvbuf(file, buffer, buffer ? _IOFBF : _IONBF, BUFSIZ);
}

void setbuffer(FILE *file, char *buffer, size_t size)
{
    setvbuf(file, buffer, buffer ? _IOFBF : _IONBF, size);
}

void setlinebuf(FILE *file)
{
    setvbuf(file, 0, _IOLBF, 0);
}

FILE *tmpfile(void)
{
    char name[] = "/tmp/tmpfile-XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0)
        return 0;
    unlink(name);
    FILE *file = fdopen(fd, "w+");
    if (!file)
        close(fd);
    return file;
}
