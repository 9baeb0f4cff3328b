/* Blocks of bytes. Copying and filling are single wasm instructions. */
#include <string.h>

void *memmove(void *to, const void *from, size_t size)
{
    __asm__ volatile("local.get %0\nlocal.get %1\nlocal.get %2\nmemory.copy 0, 0"
                     : : "r"(to), "r"(from), "r"(size) : "memory");
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    return memmove(to, from, size);
}

void *mempcpy(void *restrict to, const void *restrict from, size_t size)
{
    return (char *)memmove(to, from, size) + size;
}

void *memset(void *to, int byte, size_t size)
{
    __asm__ volatile("local.get %0\nlocal.get %1\nlocal.get %2\nmemory.fill 0"
                     : : "r"(to), "r"(byte), "r"(size) : "memory");
    return to;
}

void bzero(void *to, size_t size)
{
    memset(to, 0, size);
}

void explicit_bzero(void *to, size_t size)
{
    memset(to, 0, size);
}

void bcopy(const void *from, void *to, size_t size)
{
    memmove(to, from, size);
}

void *memccpy(void *restrict to, const void *restrict from, int byte, size_t size)
{
    const char *end = memchr(from, byte, size);
    size_t wanted = end ? (size_t)(end + 1 - (const char *)from) : size;
    memmove(to, from, wanted);
    return end ? (char *)to + wanted : 0;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const unsigned char *a = left, *b = right;
    for (; size; size--, a++, b++)
        if (*a != *b)
            return *a - *b;
    return 0;
}

int bcmp(const void *left, const void *right, size_t size)
{
    return memcmp(left, right, size);
}

void *memchr(const void *where, int byte, size_t size)
{
    const unsigned char *at = where;
    for (; size; size--, at++)
        if (*at == (unsigned char)byte)
            return (void *)at;
    return 0;
}

void *memrchr(const void *where, int byte, size_t size)
{
    const unsigned char *start = where;
    while (size--)
        if (start[size] == (unsigned char)byte)
            return (void *)(start + size);
    return 0;
}

void *rawmemchr(const void *where, int byte)
{
    const unsigned char *at = where;
    while (*at != (unsigned char)byte)
        at++;
    return (void *)at;
}

void *memmem(const void *where, size_t size, const void *what, size_t what_size)
{
    const char *at = where, *end = at + size;
    if (!what_size)
        return (void *)at;
    for (; (size_t)(end - at) >= what_size; at++) {
        at = memchr(at, *(const unsigned char *)what, end - at - what_size + 1);
        if (!at)
            return 0;
        if (!memcmp(at, what, what_size))
            return (void *)at;
    }
    return 0;
}
