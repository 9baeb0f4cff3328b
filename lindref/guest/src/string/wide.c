/* Wide characters are code points; their multibyte form is UTF-8 in every locale. */
#include <errno.h>
#include <stdlib.h>
#include <wchar.h>

size_t wcrtomb(char *restrict to, wchar_t c, mbstate_t *restrict state)
{
    (void)state;
    unsigned code = c;
    if (!to)
        return 1;
    if (code < 0x80) {
        to[0] = code;
        return 1;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    if (code > 0x10ffff || code - 0xd800 < 0x800) {
        errno = EILSEQ;
        return -1;
    }
    to[0] = (0xf00 >> more) | code >> 6 * more;
    for (int i = 1; i <= more; i++)
        to[i] = 0x80 | (code >> 6 * (more - i) & 0x3f);
    return more + 1;
}

/* The state keeps how many bytes are missing, and the bits of those that came. */
size_t mbrtowc(wchar_t *restrict to, const char *restrict text, size_t size, mbstate_t *restrict state)
{
    static mbstate_t internal;
    mbstate_t *now = state ? state : &internal;
    size_t used = 0;
    if (!text) {
        text = "";
        size = 1;
        to = 0;
    }
    for (; used < size; used++) {
        unsigned byte = (unsigned char)text[used];
        if (!now->__missing) {
            if (byte < 0x80) {
                if (to)
                    *to = byte;
                return byte ? used + 1 : 0;
            }
            if (byte < 0xc2 || byte > 0xf4)
                break;
            now->__missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
            now->__value = byte & (0x3f >> now->__missing);
            continue;
        }
        if ((byte & 0xc0) != 0x80)
            break;
        now->__value = now->__value << 6 | (byte & 0x3f);
        if (--now->__missing)
            continue;
        unsigned code = now->__value;
        now->__value = 0;
        if (code - 0xd800 < 0x800 || code > 0x10ffff)
            break;
        if (to)
            *to = code;
        return used + 1;
    }
    if (used == size)
        return -2;
    now->__missing = 0;
    errno = EILSEQ;
    return -1;
}

size_t mbrlen(const char *restrict text, size_t size, mbstate_t *restrict state)
{
    static mbstate_t internal;
    return mbrtowc(0, text, size, state ? state : &internal);
}

int mbsinit(const mbstate_t *state)
{
    return !state || !state->__missing;
}

int mbtowc(wchar_t *restrict to, const char *restrict text, size_t size)
{
    mbstate_t state = {0};
    size_t used = text ? mbrtowc(to, text, size, &state) : 0;
    return used > size ? -1 : (int)used;
}

int mblen(const char *text, size_t size)
{
    return mbtowc(0, text, size);
}

int wctomb(char *to, wchar_t c)
{
    return to ? (int)wcrtomb(to, c, 0) : 0;
}

size_t mbstowcs(wchar_t *restrict to, const char *restrict text, size_t size)
{
    size_t count = 0;
    for (; !to || count < size; count++) {
        wchar_t c;
        int used = mbtowc(&c, text, 4);
        if (used < 0)
            return -1;
        if (to)
            to[count] = c;
        if (!used)
            break;
        text += used;
    }
    return count;
}

size_t wcstombs(char *restrict to, const wchar_t *restrict text, size_t size)
{
    size_t count = 0;
    for (; *text; text++) {
        char bytes[4];
        size_t more = wcrtomb(bytes, *text, 0);
        if (more == (size_t)-1)
            return -1;
        if (to && count + more > size)
            return count;
        for (size_t i = 0; to && i < more; i++)
            to[count + i] = bytes[i];
        count += more;
    }
    if (to && count < size)
        to[count] = 0;
    return count;
}

wint_t btowc(int c)
{
    return c >= 0 && c < 0x80 ? (wint_t)c : WEOF;
}

int wctob(wint_t c)
{
    return c < 0x80 ? (int)c : -1;
}

size_t wcslen(const wchar_t *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

wchar_t *wmemcpy(wchar_t *restrict to, const wchar_t *restrict from, size_t size)
{
    return __builtin_memcpy(to, from, size * sizeof *to);
}

wchar_t *wmemset(wchar_t *to, wchar_t c, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = c;
    return to;
}

wchar_t *wcscpy(wchar_t *restrict to, const wchar_t *restrict from)
{
    return wmemcpy(to, from, wcslen(from) + 1);
}

wchar_t *wcsncpy(wchar_t *restrict to, const wchar_t *restrict from, size_t size)
{
    size_t i = 0;
    for (; i < size && from[i]; i++)
        to[i] = from[i];
    wmemset(to + i, 0, size - i);
    return to;
}

wchar_t *wcscat(wchar_t *restrict to, const wchar_t *restrict from)
{
    wcscpy(to + wcslen(to), from);
    return to;
}

int wcsncmp(const wchar_t *left, const wchar_t *right, size_t size)
{
    for (; size; size--, left++, right++)
        if (*left != *right || !*left)
            return *left < *right ? -1 : *left > *right;
    return 0;
}

int wcscmp(const wchar_t *left, const wchar_t *right)
{
    return wcsncmp(left, right, (size_t)-1);
}

wchar_t *wcschr(const wchar_t *text, wchar_t c)
{
    for (; *text != c; text++)
        if (!*text)
            return 0;
    return (wchar_t *)text;
}

wchar_t *wcsrchr(const wchar_t *text, wchar_t c)
{
    const wchar_t *found = 0;
    for (;; text++) {
        if (*text == c)
            found = text;
        if (!*text)
            return (wchar_t *)found;
    }
}
