/* Input of bytes and lines. */
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int getc_unlocked(FILE *file)
{
    int byte = __lind_file_fill(file);
    if (byte != EOF)
        file->position++;
    return byte;
}

int fgetc(FILE *file)
{
    __lind_file_lock(file);
    int byte = getc_unlocked(file);
    __lind_file_unlock(file);
    return byte;
}

int getc(FILE *file)
{
    return fgetc(file);
}

int getchar(void)
{
    return fgetc(stdin);
}

int getchar_unlocked(void)
{
    return getc_unlocked(stdin);
}

/* There is always room for PUSHBACK bytes before the buffer. */
int ungetc(int c, FILE *file)
{
    if (c == EOF)
        return EOF;
    __lind_file_lock(file);
    int result = EOF;
    if (file->flags & FILE_READ && !(file->flags & FILE_WRITING && __lind_file_flush(file)) &&
        !__lind_file_buffer(file)) {
        if (!(file->flags & FILE_READING))
            file->position = file->end = file->buffer;
        if (file->position > file->buffer - PUSHBACK) {
            *--file->position = c;
            file->flags = (file->flags | FILE_READING) & ~FILE_EOF;
            result = (unsigned char)c;
        }
    }
    __lind_file_unlock(file);
    return result;
}

size_t fread_unlocked(void *restrict to, size_t size, size_t count, FILE *restrict file)
{
    size_t total = size * count;
    if (!total)
        return 0;
    size_t done = __lind_file_read(file, to, total);
    return done == total ? count : done / size;
}

size_t fread(void *restrict to, size_t size, size_t count, FILE *restrict file)
{
    __lind_file_lock(file);
    size_t done = fread_unlocked(to, size, count, file);
    __lind_file_unlock(file);
    return done;
}

char *fgets(char *restrict text, int size, FILE *restrict file)
{
    char *to = text, *end = text + size - 1;
    if (size <= 0)
        return 0;
    __lind_file_lock(file);
    while (to < end) {
        if (__lind_file_fill(file) == EOF)
            break;
        size_t some = file->end - file->position;
        if (some > (size_t)(end - to))
            some = end - to;
        char *newline = memchr(file->position, '\n', some);
        if (newline)
            some = newline + 1 - file->position;
        memcpy(to, file->position, some);
        file->position += some;
        to += some;
        if (newline)
            break;
    }
    int failed = to == text && size > 1;
    __lind_file_unlock(file);
    *to = 0;
    return failed ? 0 : text;
}

ssize_t getdelim(char **restrict line, size_t *restrict size, int delimiter, FILE *restrict file)
{
    size_t used = 0;
    int found = 0;
    if (!line || !size) {
        errno = EINVAL;
        return -1;
    }
    if (!*line)
        *size = 0;
    __lind_file_lock(file);
    while (!found && __lind_file_fill(file) != EOF) {
        size_t some = file->end - file->position;
        char *end = memchr(file->position, delimiter, some);
        if (end) {
            some = end + 1 - file->position;
            found = 1;
        }
        if (used + some + 1 > *size) {
            size_t wanted = used + some + 1 > 120 ? (used + some + 1) * 3 / 2 : 120;
            char *more = realloc(*line, wanted);
            if (!more) {
                used = 0;
                break;
            }
            *line = more;
            *size = wanted;
        }
        memcpy(*line + used, file->position, some);
        file->position += some;
        used += some;
    }
    __lind_file_unlock(file);
    if (!used)
        return -1;
    (*line)[used] = 0;
    return used;
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict file)
{
    return getdelim(line, size, '\n', file);
}

int getw(FILE *file)
{
    int word;
    return fread(&word, sizeof word, 1, file) == 1 ? word : EOF;
}
