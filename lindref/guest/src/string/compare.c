/* Strings: comparison. */
#include <ctype.h>
#include <string.h>

int strncmp(const char *left, const char *right, size_t size)
{
    const unsigned char *a = (const unsigned char *)left, *b = (const unsigned char *)right;
    for (; size; size--, a++, b++)
        if (*a != *b || !*a)
            return *a - *b;
    return 0;
}

int strcmp(const char *left, const char *right)
{
    const unsigned char *a = (const unsigned char *)left, *b = (const unsigned char *)right;
    while (*a && *a == *b)
        a++, b++;
    return *a - *b;
}

int strcoll(const char *left, const char *right)
{
    return strcmp(left, right);
}

int strncasecmp(const char *left, const char *right, size_t size)
{
    const unsigned char *a = (const unsigned char *)left, *b = (const unsigned char *)right;
    for (; size; size--, a++, b++) {
        int difference = tolower(*a) - tolower(*b);
        if (difference || !*a)
            return difference;
    }
    return 0;
}

int strcasecmp(const char *left, const char *right)
{
    return strncasecmp(left, right, (size_t)-1);
}

/* Runs of digits compare as numbers; a run with leading zeros counts as a fraction, which sorts before. */
int strverscmp(const char *left, const char *right)
{
    const unsigned char *a = (const unsigned char *)left, *b = (const unsigned char *)right;
    size_t start = 0, i = 0;
    int zeros = 1;
    for (; a[i] == b[i]; i++) {
        if (!a[i])
            return 0;
        if (!isdigit(a[i]))
            start = i + 1, zeros = 1;
        else if (a[i] != '0')
            zeros = 0;
    }
    if (a[start] - '1' < 9U && b[start] - '1' < 9U) { /* whole numbers: the longer run is bigger */
        size_t end = i;
        while (isdigit(a[end])) {
            if (!isdigit(b[end]))
                return 1;
            end++;
        }
        if (isdigit(b[end]))
            return -1;
    } else if (zeros && start < i && (isdigit(a[i]) || isdigit(b[i]))) {
        return (unsigned char)(a[i] - '0') - (unsigned char)(b[i] - '0');
    }
    return a[i] - b[i];
}
