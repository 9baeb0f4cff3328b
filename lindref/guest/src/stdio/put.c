/* Output of bytes and strings. */
#include "file.h"

#include <string.h>

size_t fwrite_unlocked(const void *restrict from, size_t size, size_t count, FILE *restrict file)
{
    size_t total = size * count;
    if (!total)
        return 0;
    size_t done = __lind_file_write(file, from, total);
    return done == total ? count : done / size;
}

size_t fwrite(const void *restrict from, size_t size, size_t count, FILE *restrict file)
{
    __lind_file_lock(file);
    size_t done = fwrite_unlocked(from, size, count, file);
    __lind_file_unlock(file);
    return done;
}

int putc_unlocked(int c, FILE *file)
{
    char byte = c;
    return __lind_file_write(file, &byte, 1) ? (unsigned char)byte : EOF;
}

int fputc(int c, FILE *file)
{
    __lind_file_lock(file);
    int result = putc_unlocked(c, file);
    __lind_file_unlock(file);
    return result;
}

int putc(int c, FILE *file)
{
    return fputc(c, file);
}

int putchar(int c)
{
    return fputc(c, stdout);
}

int putchar_unlocked(int c)
{
    return putc_unlocked(c, stdout);
}

int fputs_unlocked(const char *restrict text, FILE *restrict file)
{
    size_t size = strlen(text);
    return size && __lind_file_write(file, text, size) < size ? EOF : 1;
}

int fputs(const char *restrict text, FILE *restrict file)
{
    __lind_file_lock(file);
    int result = fputs_unlocked(text, file);
    __lind_file_unlock(file);
    return result;
}

int puts(const char *text)
{
    __lind_file_lock(stdout);
    int result = fputs_unlocked(text, stdout);
    if (result != EOF)
        result = putc_unlocked('\n', stdout) == EOF ? EOF : 1;
    __lind_file_unlock(stdout);
    return result;
}

int putw(int word, FILE *file)
{
    return fwrite(&word, sizeof word, 1, file) == 1 ? 0 : EOF;
}
