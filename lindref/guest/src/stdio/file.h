/* What a stream is. Part of stdio only. */
#ifndef LIND_STDIO_FILE_H
#define LIND_STDIO_FILE_H

#include "../internal.h"

#include <stdarg.h>
#include <stdio.h>

#define PUSHBACK 8                /* bytes before the buffer, for ungetc */

enum {
    FILE_READ = 1,                /* may read */
    FILE_WRITE = 2,               /* may write */
    FILE_APPEND = 4,
    FILE_EOF = 8,
    FILE_ERROR = 16,
    FILE_LINE = 32,               /* flush when a newline is written */
    FILE_UNBUFFERED = 64,
    FILE_UNDECIDED = 128,         /* terminal or not? found out at the first write */
    FILE_OWN_BUFFER = 256,        /* the buffer came from malloc */
    FILE_STATIC = 512,            /* one of the three standard streams */
    FILE_READING = 1024,          /* the buffer holds input (position … end) */
    FILE_WRITING = 2048,          /* the buffer holds output (buffer … position) */
};

struct file_kind {
    ssize_t (*read)(FILE *file, char *to, size_t size);
    ssize_t (*write)(FILE *file, const char *from, size_t size);
    off_t (*seek)(FILE *file, off_t offset, int whence);
    int (*close)(FILE *file);
};

struct __lind_file {
    unsigned flags;
    int fd;
    char *buffer;                 /* with PUSHBACK bytes before it; NULL until needed */
    size_t size;
    char *position, *end;
    const struct file_kind *kind;
    void *cookie;
    volatile int lock;
    volatile int owner;           /* thread id of the holder; the lock nests */
    int depth;
    FILE *next, *previous;
    pid_t child;                  /* of popen */
};

extern const struct file_kind __lind_fd_kind;

void __lind_file_lock(FILE *file);
void __lind_file_unlock(FILE *file);
FILE *__lind_file_new(const struct file_kind *kind, int fd, unsigned flags);
int __lind_mode_flags(const char *mode, unsigned *flags);    /* "r+" … to open() flags; -1 when wrong */
int __lind_file_buffer(FILE *file);                          /* make sure that there is one; 0, or EOF */
int __lind_file_flush(FILE *file);                           /* write what is pending; 0, or EOF */
int __lind_file_fill(FILE *file);                            /* read more; the first byte stays; EOF at the end */
size_t __lind_file_write(FILE *file, const char *from, size_t size);
size_t __lind_file_read(FILE *file, char *to, size_t size);
extern FILE *volatile __lind_file_list;
extern volatile int __lind_file_list_lock;

/* Where formatted output goes. */
struct sink {
    void (*emit)(struct sink *sink, const char *text, size_t size);
    size_t total;
};
int __lind_format(struct sink *sink, const char *format, va_list args);

/* One conversion specification. */
enum { LEFT = 1, PLUS = 2, SPACE = 4, ALTERNATE = 8, ZERO = 16, GROUPED = 32 };
struct spec {
    unsigned flags;
    int width;
    int precision;                /* -1: none given */
    int length;                   /* 0, 'H' (hh), 'h', 'l', 'q' (ll), 'j', 'z', 't', 'L' */
    int conversion;
};
void __lind_emit_padding(struct sink *sink, int byte, long count);
void __lind_format_float(struct sink *sink, const struct spec *spec, uint64_t high, uint64_t low, int quad);

/* The body of a function with `...` after `format`: call its counterpart that takes a va_list. */
#define WITH_ARGUMENTS(call)        \
    va_list args;                   \
    va_start(args, format);         \
    int result = call;              \
    va_end(args);                   \
    return result;

#endif
