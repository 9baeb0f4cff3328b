/* Strings: searching and splitting. */
#include <ctype.h>
#include <string.h>

char *strchrnul(const char *text, int byte)
{
    while (*text && *text != (char)byte)
        text++;
    return (char *)text;
}

char *strchr(const char *text, int byte)
{
    char *found = strchrnul(text, byte);
    return *found == (char)byte ? found : 0;
}

char *strrchr(const char *text, int byte)
{
    return memrchr(text, byte, strlen(text) + 1);
}

char *index(const char *text, int byte)
{
    return strchr(text, byte);
}

char *rindex(const char *text, int byte)
{
    return strrchr(text, byte);
}

/* How many bytes at the start of text are (or are not) in the set; the set is short in practice. */
static size_t span(const char *text, const char *set, int inside)
{
    const char *at = text;
    while (*at && (strchr(set, *at) != 0) == inside)
        at++;
    return at - text;
}

size_t strspn(const char *text, const char *accept)
{
    return span(text, accept, 1);
}

size_t strcspn(const char *text, const char *reject)
{
    return span(text, reject, 0);
}

char *strpbrk(const char *text, const char *accept)
{
    const char *found = text + span(text, accept, 0);
    return *found ? (char *)found : 0;
}

char *strstr(const char *text, const char *what)
{
    size_t length = strlen(what);
    if (!length)
        return (char *)text;
    for (; (text = strchr(text, *what)); text++)
        if (!strncmp(text, what, length))
            return (char *)text;
    return 0;
}

char *strcasestr(const char *text, const char *what)
{
    size_t length = strlen(what);
    for (;; text++) {
        if (!strncasecmp(text, what, length))
            return (char *)text;
        if (!*text)
            return 0;
    }
}

char *strtok_r(char *restrict text, const char *restrict separators, char **restrict state)
{
    char *start = text ? text : *state;
    if (!start)
        return 0;
    start += span(start, separators, 1);
    if (!*start) {
        *state = 0;
        return 0;
    }
    char *end = start + span(start, separators, 0);
    *state = *end ? end + 1 : 0;
    *end = 0;
    return start;
}

char *strtok(char *restrict text, const char *restrict separators)
{
    static char *state;
    return strtok_r(text, separators, &state);
}

char *strsep(char **state, const char *separators)
{
    char *start = *state;
    if (start) {
        char *end = start + span(start, separators, 0);
        *state = *end ? end + 1 : 0;
        *end = 0;
    }
    return start;
}

int ffsll(long long value)
{
    return value ? __builtin_ctzll(value) + 1 : 0;
}

int ffsl(long value)
{
    return value ? __builtin_ctzl(value) + 1 : 0;
}

int ffs(int value)
{
    return ffsl(value);
}
