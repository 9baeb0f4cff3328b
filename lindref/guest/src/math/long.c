/* The functions of long double. Those that take numbers apart are exact; the others have the precision of double. */
#include "core.h"

#include <limits.h>

union quad {
    long double x;
    struct {
        uint64_t low, high;
    };
};

#define BIAS 16383

static int exponent_of(union quad it) { return it.high >> 48 & 0x7fff; }

long double acosl(long double x) { return acos((double)x); }
long double asinl(long double x) { return asin((double)x); }
long double atanl(long double x) { return atan((double)x); }
long double cosl(long double x) { return cos((double)x); }
long double sinl(long double x) { return sin((double)x); }
long double tanl(long double x) { return tan((double)x); }
long double acoshl(long double x) { return acosh((double)x); }
long double asinhl(long double x) { return asinh((double)x); }
long double atanhl(long double x) { return atanh((double)x); }
long double coshl(long double x) { return cosh((double)x); }
long double sinhl(long double x) { return sinh((double)x); }
long double tanhl(long double x) { return tanh((double)x); }
long double expl(long double x) { return exp((double)x); }
long double exp2l(long double x) { return exp2((double)x); }
long double exp10l(long double x) { return exp10((double)x); }
long double expm1l(long double x) { return expm1((double)x); }
long double logl(long double x) { return log((double)x); }
long double log2l(long double x) { return log2((double)x); }
long double log10l(long double x) { return log10((double)x); }
long double log1pl(long double x) { return log1p((double)x); }
long double cbrtl(long double x) { return cbrt((double)x); }
long double erfl(long double x) { return erf((double)x); }
long double erfcl(long double x) { return erfc((double)x); }
long double lgammal(long double x) { return lgamma((double)x); }
long double tgammal(long double x) { return tgamma((double)x); }
long double atan2l(long double x, long double y) { return atan2((double)x, (double)y); }
long double powl(long double x, long double y) { return pow((double)x, (double)y); }
long double hypotl(long double x, long double y) { return hypot((double)x, (double)y); }
long double fmal(long double x, long double y, long double z) { return x * y + z; }

long double fabsl(long double x)
{
    union quad it = {x};
    it.high &= ~(1ULL << 63);
    return it.x;
}

long double copysignl(long double x, long double y)
{
    union quad it = {x}, sign = {y};
    it.high = (it.high & ~(1ULL << 63)) | (sign.high & 1ULL << 63);
    return it.x;
}

long double truncl(long double x)
{
    union quad it = {x};
    int bits = BIAS + 112 - exponent_of(it); /* so many bits are behind the point */
    if (bits <= 0)
        return x;
    if (bits > 112) {
        it.low = 0;
        it.high &= 1ULL << 63;
    } else if (bits >= 64) {
        it.low = 0;
        it.high &= ~0ULL << (bits - 64);
    } else {
        it.low &= ~0ULL << bits;
    }
    return it.x;
}

long double floorl(long double x)
{
    long double whole = truncl(x);
    return whole > x ? whole - 1 : whole;
}

long double ceill(long double x)
{
    long double whole = truncl(x);
    return whole < x ? copysignl(whole + 1, x) : whole;
}

long double roundl(long double x)
{
    long double whole = truncl(x), rest = fabsl(x - whole);
    return rest >= 0.5L ? whole + copysignl(1, x) : whole;
}

long double rintl(long double x)
{
    long double whole = truncl(x), rest = fabsl(x - whole), half = whole / 2;
    if (rest > 0.5L || (rest == 0.5L && truncl(half) != half))
        return whole + copysignl(1, x);
    return whole;
}

long double nearbyintl(long double x) { return rintl(x); }
long double roundevenl(long double x) { return rintl(x); }
long lrintl(long double x) { return (long)rintl(x); }
long long llrintl(long double x) { return (long long)rintl(x); }
long lroundl(long double x) { return (long)roundl(x); }
long long llroundl(long double x) { return (long long)roundl(x); }

long double frexpl(long double x, int *exponent)
{
    union quad it = {x};
    int e = exponent_of(it);
    *exponent = 0;
    if (e == 0x7fff || x == 0)
        return x;
    if (e == 0) {
        long double result = frexpl(x * 0x1p120L, exponent);
        *exponent -= 120;
        return result;
    }
    *exponent = e - BIAS + 1;
    it.high = (it.high & ~(0x7fffULL << 48)) | (uint64_t)(BIAS - 1) << 48;
    return it.x;
}

long double scalbnl(long double x, int n)
{
    union quad power = {0};
    for (; n > BIAS; n -= BIAS) {
        x *= 0x1p16383L;
        if (n > 70000)
            n = 70000;
    }
    for (; n < 1 - BIAS; n += BIAS - 1 - 113) {
        x *= 0x1p-16269L;
        if (n < -70000)
            n = -70000;
    }
    power.high = (uint64_t)(n + BIAS) << 48;
    return x * power.x;
}

long double ldexpl(long double x, int n) { return scalbnl(x, n); }
long double scalblnl(long double x, long n) { return scalbnl(x, n > 99999 ? 99999 : n < -99999 ? -99999 : (int)n); }

int ilogbl(long double x)
{
    int exponent;
    union quad it = {x};
    if (x == 0)
        return FP_ILOGB0;
    if (exponent_of(it) == 0x7fff)
        return x != x ? FP_ILOGBNAN : INT_MAX;
    frexpl(x, &exponent);
    return exponent - 1;
}

long double logbl(long double x) { return x == 0 ? -__builtin_infl() : exponent_of((union quad){x}) == 0x7fff ? x * x : ilogbl(x); }

long double modfl(long double x, long double *whole)
{
    *whole = truncl(x);
    return copysignl(exponent_of((union quad){x}) == 0x7fff ? (x != x ? x : 0) : x - *whole, x);
}

/* A first value from the double, then steps of Newton's. */
long double sqrtl(long double x)
{
    int exponent;
    if (!(x > 0) || x == __builtin_infl())
        return x < 0 ? math_error(EDOM, __builtin_nan("")) : x;
    long double m = frexpl(x, &exponent);
    if (exponent & 1) {
        m *= 2;
        exponent--;
    }
    long double y = __builtin_sqrt((double)m);
    y = (y + m / y) / 2;
    y = (y + m / y) / 2;
    return scalbnl(y, exponent / 2);
}

/* As for double: long division, bit by bit. */
long double fmodl(long double x, long double y)
{
    int ex, ey;
    if (y == 0 || x != x || y != y || exponent_of((union quad){x}) == 0x7fff)
        return (x * y) / (x * y);
    long double a = fabsl(x), b = fabsl(y);
    if (a < b)
        return x;
    a = frexpl(a, &ex);
    b = frexpl(b, &ey);
    for (; ex > ey; ex--) {
        if (a >= b)
            a -= b;
        a *= 2;
    }
    if (a >= b)
        a -= b;
    return copysignl(scalbnl(a, ey), x);
}

long double remquol(long double x, long double y, int *quotient)
{
    long double n = rintl(x / y);
    *quotient = (int)fmodl(n, 0x1p31L);
    return x - n * y;
}

long double remainderl(long double x, long double y)
{
    int quotient;
    return remquol(x, y, &quotient);
}

long double dreml(long double x, long double y) { return remainderl(x, y); }
long double fdiml(long double x, long double y) { return x > y ? x - y : x != x || y != y ? x + y : 0; }
long double fmaxl(long double x, long double y) { return x != x ? y : y != y ? x : x < y ? y : x; }
long double fminl(long double x, long double y) { return x != x ? y : y != y ? x : x > y ? y : x; }
long double nanl(const char *tag) { return nan(tag); }

long double nextafterl(long double x, long double y)
{
    union quad it = {x}, to = {y};
    if (x != x || y != y)
        return x + y;
    if (x == y)
        return y;
    if (x == 0) {
        it.low = 1;
        it.high = to.high & 1ULL << 63;
    } else if ((x < y) == (x > 0)) {
        if (!++it.low)
            it.high++;
    } else {
        if (!it.low--)
            it.high--;
    }
    return it.x;
}

long double nexttowardl(long double x, long double y) { return nextafterl(x, y); }

double nexttoward(double x, long double y)
{
    return (long double)x == y ? (double)y : nextafter(x, (long double)x < y ? __builtin_inf() : -__builtin_inf());
}

float nexttowardf(float x, long double y)
{
    return (long double)x == y ? (float)y : nextafterf(x, (long double)x < y ? __builtin_inff() : -__builtin_inff());
}
