/* Streams over memory: a given block, or one that grows. */
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct block {
    char *bytes;
    size_t size;            /* room */
    size_t length;          /* bytes that are there */
    size_t at;
    int own, append;
    char **result;          /* of open_memstream */
    size_t *result_size;
};

static ssize_t memory_read(FILE *file, char *to, size_t size)
{
    struct block *b = file->cookie;
    size_t left = b->at < b->length ? b->length - b->at : 0;
    if (size > left)
        size = left;
    memcpy(to, b->bytes + b->at, size);
    b->at += size;
    return size;
}

static int make_room(struct block *b, size_t wanted)
{
    size_t size = b->size * 2 > wanted ? b->size * 2 : wanted;
    char *more = realloc(b->bytes, size);
    if (!more)
        return 0;
    memset(more + b->size, 0, size - b->size);
    b->bytes = *b->result = more;
    b->size = size;
    return 1;
}

static ssize_t memory_write(FILE *file, const char *from, size_t size)
{
    struct block *b = file->cookie;
    if (b->append)
        b->at = b->length;
    if (b->result && b->at + size >= b->size && !make_room(b, b->at + size + 1))
        return -1;
    if (b->at >= b->size) {
        errno = ENOSPC;
        return -1;
    }
    if (size > b->size - b->at)
        size = b->size - b->at;
    memcpy(b->bytes + b->at, from, size);
    b->at += size;
    if (b->at > b->length) {
        b->length = b->at;
        if (b->length < b->size)
            b->bytes[b->length] = 0;
    }
    if (b->result_size)
        *b->result_size = b->length;
    return size;
}

static off_t memory_seek(FILE *file, off_t offset, int whence)
{
    struct block *b = file->cookie;
    off_t start = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (off_t)b->at : (off_t)b->length;
    if (offset < -start || (!b->result && (size_t)(start + offset) > b->size)) {
        errno = EINVAL;
        return -1;
    }
    return b->at = start + offset;
}

static int memory_close(FILE *file)
{
    struct block *b = file->cookie;
    if (b->own)
        free(b->bytes);
    free(b);
    return 0;
}

static const struct file_kind memory_kind = {memory_read, memory_write, memory_seek, memory_close};

static FILE *open_block(struct block value, unsigned flags)
{
    struct block *b = malloc(sizeof *b);
    FILE *file = b ? __lind_file_new(&memory_kind, -1, flags) : 0;
    if (!file) {
        free(b);
        return 0;
    }
    *b = value;
    file->cookie = b;
    return file;
}

FILE *fmemopen(void *restrict buffer, size_t size, const char *restrict mode)
{
    unsigned flags;
    if (__lind_mode_flags(mode, &flags) < 0)
        return 0;
    char *bytes = buffer ? buffer : calloc(1, size ? size : 1);
    if (!bytes)
        return 0;
    size_t length = !buffer || *mode == 'w' ? 0 : *mode == 'a' || strchr(mode, '+') ? strnlen(bytes, size) : size;
    if (*mode == 'w' && size)
        *bytes = 0;
    struct block value = {bytes, size, length, *mode == 'a' ? length : 0, !buffer, *mode == 'a', 0, 0};
    FILE *file = open_block(value, flags);
    if (!file && !buffer)
        free(bytes);
    return file;
}

FILE *open_memstream(char **buffer, size_t *size)
{
    char *bytes = calloc(1, 64);
    if (!bytes)
        return 0;
    *buffer = bytes;
    *size = 0;
    FILE *file = open_block((struct block){bytes, 64, 0, 0, 0, 0, buffer, size}, FILE_WRITE);
    if (!file)
        free(bytes);
    return file;
}
