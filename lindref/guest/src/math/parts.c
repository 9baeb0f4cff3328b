/* Taking numbers apart and putting them together; the nearest ones; rounding. */
#include "core.h"

#include <limits.h>

double fabs(double x) { return __builtin_fabs(x); }
double sqrt(double x) { return x < 0 ? math_error(EDOM, __builtin_sqrt(x)) : __builtin_sqrt(x); }
double ceil(double x) { return __builtin_ceil(x); }
double floor(double x) { return __builtin_floor(x); }
double trunc(double x) { return __builtin_trunc(x); }
double rint(double x) { return __builtin_rint(x); }
double nearbyint(double x) { return __builtin_rint(x); }
double roundeven(double x) { return __builtin_rint(x); }
double copysign(double x, double y) { return __builtin_copysign(x, y); }

double round(double x)
{
    double whole = __builtin_trunc(x), rest = x - whole;
    if (rest >= 0.5)
        return whole + 1;
    if (rest <= -0.5)
        return whole - 1;
    return __builtin_copysign(whole, x);
}

long long llrint(double x) { return (long long)__builtin_rint(x); }
long lrint(double x) { return (long)__builtin_rint(x); }
long long llround(double x) { return (long long)round(x); }
long lround(double x) { return (long)round(x); }

double scalbn(double x, int n)
{
    /* Steps that cannot lose a bit before the last one. */
    for (; n > 1023; n -= 1023) {
        x *= 0x1p1023;
        if (n > 4000)
            n = 4000;
    }
    for (; n < -1022; n += 1022 - 53) {
        x *= 0x1p-1022 * 0x1p53;
        if (n < -4000)
            n = -4000;
    }
    return x * power_of_two(n);
}

double ldexp(double x, int n)
{
    double result = scalbn(x, n);
    if (x != 0 && is_finite(x) && (!is_finite(result) || result == 0))
        errno = ERANGE;
    return result;
}

double scalbln(double x, long n)
{
    return scalbn(x, n > 9999 ? 9999 : n < -9999 ? -9999 : (int)n);
}

double frexp(double x, int *exponent)
{
    int e = bits_of(x) >> 52 & 0x7ff;
    *exponent = 0;
    if (e == 0x7ff || x == 0)
        return x;
    if (e == 0) {
        double result = frexp(x * 0x1p64, exponent);
        *exponent -= 64;
        return result;
    }
    *exponent = e - 1022;
    return from_bits((bits_of(x) & 0x800fffffffffffffULL) | 1022ULL << 52);
}

int ilogb(double x)
{
    int exponent;
    if (x == 0 || x != x) {
        errno = EDOM;
        return x == 0 ? FP_ILOGB0 : FP_ILOGBNAN;
    }
    if (!is_finite(x)) {
        errno = EDOM;
        return INT_MAX;
    }
    frexp(x, &exponent);
    return exponent - 1;
}

double significand(double x)
{
    return x == 0 || !is_finite(x) ? x : scalbn(x, -ilogb(x));
}

double modf(double x, double *whole)
{
    *whole = __builtin_trunc(x);
    return __builtin_copysign(is_finite(x) ? x - *whole : x != x ? x : 0, x);
}

double nextafter(double x, double y)
{
    if (x != x || y != y)
        return x + y;
    if (x == y)
        return y;
    uint64_t bits = bits_of(x);
    if (x == 0)
        bits = (bits_of(y) & 1ULL << 63) | 1;
    else
        bits += (x < y) == (x > 0) ? 1 : -1ULL;
    double result = from_bits(bits);
    if (!is_finite(result) || __builtin_fabs(result) < 0x1p-1022)
        errno = ERANGE;
    return result;
}

double fdim(double x, double y)
{
    if (x != x || y != y)
        return x + y;
    double result = x > y ? x - y : 0;
    if (result == __builtin_inf() && is_finite(x) && is_finite(y))
        errno = ERANGE;
    return result;
}

double fmax(double x, double y)
{
    return x != x ? y : y != y ? x : x < y || (x == y && __builtin_signbit(x)) ? y : x;
}

double fmin(double x, double y)
{
    return x != x ? y : y != y ? x : x > y || (x == y && __builtin_signbit(y)) ? y : x;
}

double nan(const char *tag)
{
    (void)tag;
    return __builtin_nan("");
}

int finite(double x)
{
    return is_finite(x);
}
