/* Streams: the three standard ones, locks, buffers, and the plain moves of bytes everything else is made of. */
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STANDARD_BUFFER 4096

static char in_buffer[PUSHBACK + STANDARD_BUFFER];
static char out_buffer[PUSHBACK + STANDARD_BUFFER];

static ssize_t fd_read(FILE *file, char *to, size_t size) { return read(file->fd, to, size); }
static ssize_t fd_write(FILE *file, const char *from, size_t size) { return write(file->fd, from, size); }
static off_t fd_seek(FILE *file, off_t offset, int whence) { return lseek(file->fd, offset, whence); }
static int fd_close(FILE *file) { return close(file->fd); }
const struct file_kind __lind_fd_kind = {fd_read, fd_write, fd_seek, fd_close};

static FILE in_file = {
    .flags = FILE_READ | FILE_STATIC, .fd = 0, .kind = &__lind_fd_kind,
    .buffer = in_buffer + PUSHBACK, .size = STANDARD_BUFFER,
};
static FILE out_file = {
    .flags = FILE_WRITE | FILE_STATIC | FILE_UNDECIDED, .fd = 1, .kind = &__lind_fd_kind,
    .buffer = out_buffer + PUSHBACK, .size = STANDARD_BUFFER,
};
static FILE error_file = {
    .flags = FILE_WRITE | FILE_STATIC | FILE_UNBUFFERED, .fd = 2, .kind = &__lind_fd_kind,
};
FILE *(stdin) = &in_file;
FILE *(stdout) = &out_file;
FILE *(stderr) = &error_file;

FILE *volatile __lind_file_list;      /* streams from fopen and its like */
volatile int __lind_file_list_lock;

/* The lock nests, so that a signal handler that prints in the middle of a print does not wait for ever. */
void __lind_file_lock(FILE *file)
{
    int me = __lind_self()->tid;
    if (file->owner != me) {
        __lind_lock(&file->lock);
        file->owner = me;
    }
    file->depth++;
}

void __lind_file_unlock(FILE *file)
{
    if (--file->depth == 0) {
        file->owner = 0;
        __lind_unlock(&file->lock);
    }
}

int __lind_file_buffer(FILE *file)
{
    if (file->buffer)
        return 0;
    char *memory = malloc(PUSHBACK + STANDARD_BUFFER);
    if (!memory)
        return EOF;
    file->buffer = memory + PUSHBACK;
    file->size = STANDARD_BUFFER;
    file->flags |= FILE_OWN_BUFFER;
    return 0;
}

static size_t write_all(FILE *file, const char *from, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = file->kind->write(file, from + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            file->flags |= FILE_ERROR;
            break;
        }
        done += count;
    }
    return done;
}

int __lind_file_flush(FILE *file)
{
    int result = 0;
    if (file->flags & FILE_WRITING) {
        size_t pending = file->position - file->buffer;
        file->position = file->buffer;
        if (pending && write_all(file, file->buffer, pending) < pending)
            result = EOF;
        file->flags &= ~FILE_WRITING;
    } else if (file->flags & FILE_READING && file->position != file->end) {
        /* Input that was read ahead goes back, where the file can seek. */
        int saved = errno;
        if (file->kind->seek && file->kind->seek(file, file->position - file->end, SEEK_CUR) >= 0)
            file->position = file->end;
        errno = saved;
    }
    return result;
}

static int start_writing(FILE *file)
{
    if (!(file->flags & FILE_WRITE)) {
        errno = EBADF;
        file->flags |= FILE_ERROR;
        return EOF;
    }
    if (file->flags & FILE_WRITING)
        return 0;
    if (file->flags & FILE_READING)
        __lind_file_flush(file);
    if (file->flags & FILE_UNDECIDED) {
        struct stat status;
        int saved = errno;
        file->flags &= ~FILE_UNDECIDED;
        if (fstat(file->fd, &status) == 0 && S_ISCHR(status.st_mode) && isatty(file->fd))
            file->flags |= FILE_LINE;
        errno = saved;
    }
    if (!(file->flags & FILE_UNBUFFERED) && __lind_file_buffer(file))
        return EOF;
    file->flags = (file->flags & ~(FILE_READING | FILE_EOF)) | FILE_WRITING;
    file->position = file->end = file->buffer;
    return 0;
}

size_t __lind_file_write(FILE *file, const char *from, size_t size)
{
    if (start_writing(file))
        return 0;
    if (file->flags & FILE_UNBUFFERED)
        return write_all(file, from, size);
    size_t room = file->size - (file->position - file->buffer);
    if (size > room) {
        if (__lind_file_flush(file) || start_writing(file))
            return 0;
        if (size >= file->size)
            return write_all(file, from, size);
    }
    memcpy(file->position, from, size);
    file->position += size;
    if (file->flags & FILE_LINE && memrchr(from, '\n', size) && __lind_file_flush(file))
        return 0;
    return size;
}

int __lind_file_fill(FILE *file)
{
    if (!(file->flags & FILE_READ)) {
        errno = EBADF;
        file->flags |= FILE_ERROR;
        return EOF;
    }
    if (file->flags & FILE_WRITING && __lind_file_flush(file))
        return EOF;
    if (__lind_file_buffer(file))
        return EOF;
    if (!(file->flags & FILE_READING))
        file->position = file->end = file->buffer;
    file->flags |= FILE_READING;
    if (file->position != file->end)
        return (unsigned char)*file->position;
    if (file->fd == 0 && stdout->flags & FILE_LINE && file->kind == &__lind_fd_kind)
        __lind_file_flush(stdout); /* what a terminal shows before it is asked for input */
    ssize_t count = file->kind->read(file, file->buffer, file->size);
    if (count <= 0) {
        file->flags |= count ? FILE_ERROR : FILE_EOF;
        return EOF;
    }
    file->position = file->buffer;
    file->end = file->buffer + count;
    return (unsigned char)*file->position;
}

size_t __lind_file_read(FILE *file, char *to, size_t size)
{
    size_t done = 0;
    while (done < size) {
        if (__lind_file_fill(file) == EOF)
            break;
        size_t have = file->end - file->position;
        if (have > size - done)
            have = size - done;
        memcpy(to + done, file->position, have);
        file->position += have;
        done += have;
    }
    return done;
}

/* At exit: write what is pending, and give input read ahead back. */
void __lind_flush_streams(void)
{
    __lind_file_flush(stdout);
    __lind_file_flush(stdin);
    for (FILE *file = __lind_file_list; file; file = file->next)
        __lind_file_flush(file);
}

int fflush(FILE *file)
{
    if (file) {
        __lind_file_lock(file);
        int result = __lind_file_flush(file);
        __lind_file_unlock(file);
        return result;
    }
    int result = fflush(stdout);
    __lind_lock(&__lind_file_list_lock);
    for (FILE *each = __lind_file_list; each; each = each->next)
        if (each->flags & FILE_WRITING)
            result |= fflush(each);
    __lind_unlock(&__lind_file_list_lock);
    return result;
}

int fflush_unlocked(FILE *file)
{
    return file ? __lind_file_flush(file) : fflush(0);
}
