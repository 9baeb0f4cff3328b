/* C11 7.29: wide characters, and UTF-8 as their multibyte form. */
#ifndef _WCHAR_H
#define _WCHAR_H

#include <features.h>
#include <stdarg.h>
#include <stddef.h>

__BEGIN_DECLS

typedef __WINT_TYPE__ wint_t;
typedef struct {
    unsigned __missing, __value;
} mbstate_t;

#define WEOF ((wint_t)-1)
#ifndef WCHAR_MIN
#define WCHAR_MIN (-2147483647 - 1)
#define WCHAR_MAX 2147483647
#endif

size_t wcrtomb(char *restrict to, wchar_t c, mbstate_t *restrict state);
size_t mbrtowc(wchar_t *restrict to, const char *restrict text, size_t size, mbstate_t *restrict state);
size_t mbrlen(const char *restrict text, size_t size, mbstate_t *restrict state);
int mbsinit(const mbstate_t *state);
wint_t btowc(int c);
int wctob(wint_t c);
size_t wcslen(const wchar_t *text);
wchar_t *wcscpy(wchar_t *restrict to, const wchar_t *restrict from);
wchar_t *wcsncpy(wchar_t *restrict to, const wchar_t *restrict from, size_t size);
wchar_t *wcscat(wchar_t *restrict to, const wchar_t *restrict from);
int wcscmp(const wchar_t *left, const wchar_t *right);
int wcsncmp(const wchar_t *left, const wchar_t *right, size_t size);
wchar_t *wcschr(const wchar_t *text, wchar_t c);
wchar_t *wcsrchr(const wchar_t *text, wchar_t c);
wchar_t *wmemcpy(wchar_t *restrict to, const wchar_t *restrict from, size_t size);
wchar_t *wmemset(wchar_t *to, wchar_t c, size_t size);

__END_DECLS

#endif
