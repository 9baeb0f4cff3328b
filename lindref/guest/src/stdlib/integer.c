/* Reading integers, and the small arithmetic functions. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

static int digit_value(int c)
{
    return isdigit(c) ? c - '0' : isalpha(c) ? (c | 32) - 'a' + 10 : 99;
}

/* The magnitude, and whether 64 bits do not hold it. */
static uint64_t scan(const char *text, char **end, int base, int *negative, int *overflow)
{
    const char *at = text;
    *negative = *overflow = 0;
    if (base < 0 || base == 1 || base > 36) {
        errno = EINVAL;
        return 0;
    }
    if (end)
        *end = (char *)text;
    while (isspace((unsigned char)*at))
        at++;
    if (*at == '+' || *at == '-')
        *negative = *at++ == '-';
    if ((base == 0 || base == 16) && at[0] == '0' && (at[1] | 32) == 'x' && digit_value(at[2]) < 16) {
        at += 2;
        base = 16;
    }
    if (base == 0)
        base = *at == '0' ? 8 : 10;
    uint64_t value = 0;
    const char *first = at;
    for (int digit; (digit = digit_value((unsigned char)*at)) < base; at++)
        if (value > (UINT64_MAX - digit) / base)
            *overflow = 1;
        else
            value = value * base + digit;
    if (end && at != first)
        *end = (char *)at;
    return value;
}

static int64_t signed_result(const char *text, char **end, int base, int64_t low, int64_t high)
{
    int negative, overflow;
    uint64_t value = scan(text, end, base, &negative, &overflow);
    uint64_t limit = negative ? -(uint64_t)low : (uint64_t)high;
    if (overflow || value > limit) {
        errno = ERANGE;
        return negative ? low : high;
    }
    return negative ? -value : value;
}

static uint64_t unsigned_result(const char *text, char **end, int base, uint64_t high)
{
    int negative, overflow;
    uint64_t value = scan(text, end, base, &negative, &overflow);
    if (overflow || value > high) {
        errno = ERANGE;
        return high;
    }
    return negative ? -value : value;
}

long strtol(const char *restrict text, char **restrict end, int base)
{
    return signed_result(text, end, base, LONG_MIN, LONG_MAX);
}

long long strtoll(const char *restrict text, char **restrict end, int base)
{
    return signed_result(text, end, base, LLONG_MIN, LLONG_MAX);
}

unsigned long strtoul(const char *restrict text, char **restrict end, int base)
{
    return unsigned_result(text, end, base, ULONG_MAX);
}

unsigned long long strtoull(const char *restrict text, char **restrict end, int base)
{
    return unsigned_result(text, end, base, ULLONG_MAX);
}

intmax_t strtoimax(const char *restrict text, char **restrict end, int base)
{
    return strtoll(text, end, base);
}

uintmax_t strtoumax(const char *restrict text, char **restrict end, int base)
{
    return strtoull(text, end, base);
}

int atoi(const char *text) { return strtol(text, 0, 10); }
long atol(const char *text) { return strtol(text, 0, 10); }
long long atoll(const char *text) { return strtoll(text, 0, 10); }

int abs(int value) { return value < 0 ? -value : value; }
long labs(long value) { return value < 0 ? -value : value; }
long long llabs(long long value) { return value < 0 ? -value : value; }
intmax_t imaxabs(intmax_t value) { return llabs(value); }

div_t div(int left, int right) { return (div_t){left / right, left % right}; }
ldiv_t ldiv(long left, long right) { return (ldiv_t){left / right, left % right}; }
lldiv_t lldiv(long long left, long long right) { return (lldiv_t){left / right, left % right}; }
imaxdiv_t imaxdiv(intmax_t left, intmax_t right) { return (imaxdiv_t){left / right, left % right}; }
