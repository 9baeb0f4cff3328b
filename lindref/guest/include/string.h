/* C11 7.24 and POSIX: byte strings. */
#ifndef _STRING_H
#define _STRING_H

#include <features.h>
#include <stddef.h>

__BEGIN_DECLS

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *mempcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
void *memccpy(void *restrict to, const void *restrict from, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
void *memchr(const void *where, int byte, size_t size);
void *memrchr(const void *where, int byte, size_t size);
void *rawmemchr(const void *where, int byte);
void *memmem(const void *where, size_t size, const void *what, size_t what_size);
void explicit_bzero(void *to, size_t size);

size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
char *strcpy(char *restrict to, const char *restrict from);
char *stpcpy(char *restrict to, const char *restrict from);
char *strncpy(char *restrict to, const char *restrict from, size_t size);
char *stpncpy(char *restrict to, const char *restrict from, size_t size);
size_t strlcpy(char *restrict to, const char *restrict from, size_t size);
size_t strlcat(char *restrict to, const char *restrict from, size_t size);
char *strcat(char *restrict to, const char *restrict from);
char *strncat(char *restrict to, const char *restrict from, size_t size);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t size);
int strcoll(const char *left, const char *right);
size_t strxfrm(char *restrict to, const char *restrict from, size_t size);
int strverscmp(const char *left, const char *right);
char *strchr(const char *text, int byte);
char *strchrnul(const char *text, int byte);
char *strrchr(const char *text, int byte);
size_t strspn(const char *text, const char *accept);
size_t strcspn(const char *text, const char *reject);
char *strpbrk(const char *text, const char *accept);
char *strstr(const char *text, const char *what);
char *strcasestr(const char *text, const char *what);
char *strtok(char *restrict text, const char *restrict separators);
char *strtok_r(char *restrict text, const char *restrict separators, char **restrict state);
char *strsep(char **state, const char *separators);
char *strdup(const char *text);
char *strndup(const char *text, size_t limit);
char *strerror(int number);
int __xpg_strerror_r(int number, char *buffer, size_t size);
#ifdef _GNU_SOURCE
char *strerror_r(int number, char *buffer, size_t size);
#else
int strerror_r(int number, char *buffer, size_t size) __asm__("__xpg_strerror_r");
#endif
char *strsignal(int number);

#define strdupa(text) __builtin_strcpy(__builtin_alloca(__builtin_strlen(text) + 1), text)

__END_DECLS

#include <strings.h>

#endif
