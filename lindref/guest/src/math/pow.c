/* Powers: exp(y log x), with the logarithm to 68 bits or so. */
#include "core.h"

/* 0: no integer, 1: odd, 2: even. */
static int parity(double y)
{
    if (__builtin_trunc(y) != y)
        return 0;
    if (__builtin_fabs(y) >= 0x1p53)
        return 2;
    return (long long)y & 1 ? 1 : 2;
}

double pow(double x, double y)
{
    int exponent, whole = 2, negative = 0;
    if (y == 0 || x == 1)
        return 1;
    if (x != x || y != y)
        return x + y;
    double size = __builtin_fabs(x);
    if (!is_finite(y)) {
        if (size == 1)
            return 1;
        return (size > 1) == (y > 0) ? __builtin_inf() : 0;
    }
    whole = parity(y);
    negative = __builtin_signbit(x) && whole == 1;
    if (x == 0 || !is_finite(x)) {
        double result = (x == 0) == (y < 0) ? __builtin_inf() : 0;
        if (x == 0 && y < 0)
            errno = ERANGE;
        return negative ? -result : result;
    }
    if (x < 0 && !whole)
        return undefined(0);
    dd log_x = __lind_log((dd){size, 0});
    double about = y * log_x.h;
    if (about > 710)
        return math_error(ERANGE, negative ? -__builtin_inf() : __builtin_inf());
    if (about < -746)
        return math_error(ERANGE, negative ? -0.0 : 0.0);
    if (__builtin_fabs(about) < 0x1p-60)
        return negative ? -1 - about : 1 + about;
    dd product = __builtin_fabs(y) < 0x1p-900 ? (dd){about, 0} : two_product(y, log_x.h);
    dd e = __lind_exp(quick_sum(product.h, product.l + y * log_x.l), &exponent);
    double result = ldexp(e.h + e.l, exponent);
    if (result == 0 || result == __builtin_inf())
        errno = ERANGE;
    return negative ? -result : result;
}
