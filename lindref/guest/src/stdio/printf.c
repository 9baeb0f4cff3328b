/* The printf family: one engine, four places to put the text. */
#include "file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file_sink {
    struct sink sink;
    FILE *file;
};

static void to_file(struct sink *sink, const char *text, size_t size)
{
    __lind_file_write(((struct file_sink *)sink)->file, text, size);
}

/* An unbuffered stream (stderr) gets a buffer for the length of one print, so that a line is one write. */
int vfprintf(FILE *restrict file, const char *restrict format, va_list args)
{
    struct file_sink sink = {{to_file, 0}, file};
    char once[PUSHBACK + 256];
    __lind_file_lock(file);
    int error_before = file->flags & FILE_ERROR;
    file->flags &= ~FILE_ERROR;
    int unbuffered = file->flags & FILE_UNBUFFERED;
    if (unbuffered) {
        file->flags &= ~(FILE_UNBUFFERED | FILE_WRITING);
        file->buffer = once + PUSHBACK;
        file->size = sizeof once - PUSHBACK;
    }
    int result = __lind_format(&sink.sink, format, args);
    if (unbuffered) {
        __lind_file_flush(file);
        file->flags |= FILE_UNBUFFERED;
        file->buffer = file->position = file->end = 0;
        file->size = 0;
    }
    if (file->flags & FILE_ERROR)
        result = -1;
    file->flags |= error_before;
    __lind_file_unlock(file);
    return result;
}

struct text_sink {
    struct sink sink;
    char *to;
    size_t room; /* without the final NUL */
};

static void to_text(struct sink *sink, const char *text, size_t size)
{
    struct text_sink *out = (struct text_sink *)sink;
    if (size > out->room)
        size = out->room;
    memcpy(out->to, text, size);
    out->to += size;
    out->room -= size;
}

int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list args)
{
    struct text_sink sink = {{to_text, 0}, to, size ? size - 1 : 0};
    int result = __lind_format(&sink.sink, format, args);
    if (size)
        *sink.to = 0;
    return result;
}

struct fd_sink {
    struct sink sink;
    int fd, failed;
    size_t used;
    char text[256];
};

static void flush_fd(struct fd_sink *out)
{
    for (size_t done = 0; done < out->used && !out->failed;) {
        ssize_t count = write(out->fd, out->text + done, out->used - done);
        if (count <= 0)
            out->failed = 1;
        else
            done += count;
    }
    out->used = 0;
}

static void to_fd(struct sink *sink, const char *text, size_t size)
{
    struct fd_sink *out = (struct fd_sink *)sink;
    while (size) {
        size_t some = sizeof out->text - out->used;
        if (some > size)
            some = size;
        memcpy(out->text + out->used, text, some);
        out->used += some;
        text += some;
        size -= some;
        if (out->used == sizeof out->text)
            flush_fd(out);
    }
}

int vdprintf(int fd, const char *restrict format, va_list args)
{
    struct fd_sink sink = {{to_fd, 0}, fd, 0, 0, ""};
    int result = __lind_format(&sink.sink, format, args);
    flush_fd(&sink);
    return sink.failed ? -1 : result;
}

int vasprintf(char **to, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(0, 0, format, again);
    va_end(again);
    *to = size < 0 ? 0 : malloc(size + 1);
    return *to ? vsnprintf(*to, size + 1, format, args) : -1;
}

int vprintf(const char *restrict format, va_list args)
{
    return vfprintf(stdout, format, args);
}

int vsprintf(char *restrict to, const char *restrict format, va_list args)
{
    return vsnprintf(to, INT_MAX, format, args);
}

int printf(const char *restrict format, ...)
{
    WITH_ARGUMENTS(vfprintf(stdout, format, args))
}

int fprintf(FILE *restrict file, const char *restrict format, ...)
{
    WITH_ARGUMENTS(vfprintf(file, format, args))
}

int dprintf(int fd, const char *restrict format, ...)
{
    WITH_ARGUMENTS(vdprintf(fd, format, args))
}

int sprintf(char *restrict to, const char *restrict format, ...)
{
    WITH_ARGUMENTS(vsprintf(to, format, args))
}

int snprintf(char *restrict to, size_t size, const char *restrict format, ...)
{
    WITH_ARGUMENTS(vsnprintf(to, size, format, args))
}

int asprintf(char **to, const char *format, ...)
{
    WITH_ARGUMENTS(vasprintf(to, format, args))
}
