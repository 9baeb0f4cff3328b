/* Hyperbolic functions and their inverses. */
#include "core.h"

#include "tables.h"

/* e^x / 2 and e^-x / 2 for 0 <= x < 711. */
static void halves(double x, dd *up, dd *down)
{
    int exponent;
    dd e = __lind_exp((dd){x, 0}, &exponent), inverse = dd_divide((dd){1, 0}, e);
    double scale = power_of_two(exponent - 1), other = exponent > 1020 ? 0 : power_of_two(-exponent - 1);
    *up = (dd){e.h * scale, e.l * scale};
    *down = (dd){inverse.h * other, inverse.l * other};
}

/* Near 0 the difference of exponentials loses what the series keeps. */
static dd small_sinh(double x)
{
    dd square = two_product(x, x);
    double z = square.h;
    double tail = z * z * x * (1.0 / 120 + z * (1.0 / 5040 + z * (1.0 / 362880 + z * (1.0 / 39916800 +
                  z * (1.0 / 6227020800 + z / 1307674368000)))));
    dd cube = dd_divide(dd_multiply(square, (dd){x, 0}), (dd){6, 0});
    dd s = quick_sum(x, cube.h);
    return quick_sum(s.h, s.l + (cube.l + tail));
}

static dd small_cosh(double x)
{
    dd square = two_product(x, x), s = quick_sum(1, square.h / 2);
    double z = square.h;
    double tail = z * z * (1.0 / 24 + z * (1.0 / 720 + z * (1.0 / 40320 + z * (1.0 / 3628800 +
                  z * (1.0 / 479001600 + z / 87178291200)))));
    return quick_sum(s.h, s.l + (square.l / 2 + tail));
}

double sinh(double x)
{
    dd up, down, s;
    double size = __builtin_fabs(x);
    if (!is_finite(x) || size < 0x1p-27)
        return x;
    if (size > 710.4758600739439)
        return math_error(ERANGE, __builtin_copysign(__builtin_inf(), x));
    if (size < 0.5) {
        s = small_sinh(size);
    } else {
        halves(size, &up, &down);
        s = dd_add(up, dd_negative(down));
    }
    return __builtin_copysign(s.h + s.l, x);
}

double cosh(double x)
{
    dd up, down;
    double size = __builtin_fabs(x);
    if (!is_finite(x))
        return x * x;
    if (size > 710.4758600739439)
        return math_error(ERANGE, __builtin_inf());
    halves(size, &up, &down);
    dd s = dd_add(up, down);
    return s.h + s.l;
}

double tanh(double x)
{
    dd up, down, t;
    double size = __builtin_fabs(x);
    if (x != x || size < 0x1p-27)
        return x;
    if (size > 22)
        return __builtin_copysign(1, x);
    if (size < 0.5) {
        t = dd_divide(small_sinh(size), small_cosh(size));
    } else {
        halves(size, &up, &down);
        t = dd_divide(dd_add(up, dd_negative(down)), dd_add(up, down));
    }
    return __builtin_copysign(t.h + t.l, x);
}

double asinh(double x)
{
    dd s;
    double size = __builtin_fabs(x);
    if (!is_finite(x) || size < 0x1p-27)
        return x;
    if (size > 0x1p60)
        s = dd_add(__lind_log((dd){size, 0}), LN2);
    else
        s = __lind_log(dd_add(dd_root(dd_add(two_product(size, size), (dd){1, 0})), (dd){size, 0}));
    return __builtin_copysign(s.h + s.l, x);
}

double acosh(double x)
{
    dd s;
    if (!(x >= 1))
        return undefined(x);
    if (x == __builtin_inf())
        return x;
    if (x > 0x1p60)
        s = dd_add(__lind_log((dd){x, 0}), LN2);
    else
        s = __lind_log(dd_add((dd){x, 0}, dd_root(dd_multiply(two_sum(x, 1), (dd){x - 1, 0}))));
    return s.h + s.l;
}

double atanh(double x)
{
    double size = __builtin_fabs(x);
    if (!(size <= 1))
        return undefined(x);
    if (size == 1)
        return math_error(ERANGE, __builtin_copysign(__builtin_inf(), x));
    if (size < 0x1p-27)
        return x;
    dd s = dd_add(__lind_log(two_sum(1, size)), dd_negative(__lind_log(two_sum(1, -size))));
    return __builtin_copysign((s.h + s.l) / 2, x);
}
