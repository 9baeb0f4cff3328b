/* POSIX: case-insensitive comparison, bit searches and the old BSD names. */
#ifndef _STRINGS_H
#define _STRINGS_H

#include <features.h>
#include <stddef.h>

__BEGIN_DECLS

int strcasecmp(const char *left, const char *right);
int strncasecmp(const char *left, const char *right, size_t size);
int bcmp(const void *left, const void *right, size_t size);
void bcopy(const void *from, void *to, size_t size);
void bzero(void *to, size_t size);
char *index(const char *text, int byte);
char *rindex(const char *text, int byte);
int ffs(int value);
int ffsl(long value);
int ffsll(long long value);

__END_DECLS

#endif
