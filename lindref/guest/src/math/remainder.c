/* Remainders, exactly: long division of the mantissas. */
#include "core.h"

/* |x| mod |y| for finite x and y other than 0, and the last bits of the quotient. */
static double divide(double x, double y, unsigned *quotient)
{
    int ex, ey;
    uint64_t mx = (uint64_t)(frexp(x, &ex) * 0x1p53), my = (uint64_t)(frexp(y, &ey) * 0x1p53);
    *quotient = 0;
    if (x < y)
        return x;
    for (; ex > ey; ex--) {
        *quotient <<= 1;
        if (mx >= my) {
            mx -= my;
            *quotient |= 1;
        }
        mx <<= 1;
    }
    *quotient <<= 1;
    if (mx >= my) {
        mx -= my;
        *quotient |= 1;
    }
    return scalbn((double)mx, ey - 53);
}

static int undefined_pair(double x, double y)
{
    return !is_finite(x) || y == 0 || y != y;
}

static double nothing(double x, double y)
{
    return x != x || y != y ? x + y : undefined(__builtin_inf());
}

double fmod(double x, double y)
{
    unsigned quotient;
    if (undefined_pair(x, y))
        return nothing(x, y);
    if (!is_finite(y) || x == 0)
        return x;
    return __builtin_copysign(divide(__builtin_fabs(x), __builtin_fabs(y), &quotient), x);
}

double remquo(double x, double y, int *result)
{
    unsigned quotient;
    *result = 0;
    if (undefined_pair(x, y))
        return nothing(x, y);
    if (!is_finite(y) || x == 0)
        return x;
    double size = __builtin_fabs(y), rest = divide(__builtin_fabs(x), size, &quotient);
    double other = size - rest; /* exact where it matters */
    if (rest > other || (rest == other && quotient & 1)) {
        rest = size < 0x1p-1021 ? rest - size : -other;
        quotient++;
    }
    quotient &= 0x7fffffff;
    *result = __builtin_signbit(x) != __builtin_signbit(y) ? -(int)quotient : (int)quotient;
    if (rest == 0)
        return __builtin_copysign(0, x);
    return __builtin_signbit(x) ? -rest : rest;
}

double remainder(double x, double y)
{
    int quotient;
    return remquo(x, y, &quotient);
}

double drem(double x, double y)
{
    return remainder(x, y);
}
