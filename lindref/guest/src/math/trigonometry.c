/* Sine, cosine and tangent: within pi/4 the series of the functions are short. */
#include "core.h"

dd __lind_sine(dd x)
{
    double z = x.h * x.h;
    double tail = z * x.h *
                  (-1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880 + z * (-1.0 / 39916800 +
                   z * (1.0 / 6227020800 + z * (-1.0 / 1307674368000 + z / 355687428096000)))))));
    return quick_sum(x.h, tail + x.l * (1 - z / 2));
}

dd __lind_cosine(dd x)
{
    dd square = two_product(x.h, x.h), w = quick_sum(1, -square.h / 2);
    double z = square.h;
    double tail = z * z *
                  (1.0 / 24 + z * (-1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3628800 + z * (1.0 / 479001600 +
                   z * (-1.0 / 87178291200 + z / 20922789888000))))));
    return quick_sum(w.h, w.l + (tail - square.l / 2 - x.h * x.l));
}

double sin(double x)
{
    int quarter;
    if (!is_finite(x))
        return undefined(x);
    if (__builtin_fabs(x) < 0x1p-27)
        return x;
    dd r = __lind_reduce(x, &quarter);
    dd s = quarter & 1 ? __lind_cosine(r) : __lind_sine(r);
    return quarter & 2 ? -(s.h + s.l) : s.h + s.l;
}

double cos(double x)
{
    int quarter;
    if (!is_finite(x))
        return undefined(x);
    dd r = __lind_reduce(x, &quarter);
    dd s = quarter & 1 ? __lind_sine(r) : __lind_cosine(r);
    return quarter == 1 || quarter == 2 ? -(s.h + s.l) : s.h + s.l;
}

void sincos(double x, double *sine, double *cosine)
{
    *sine = sin(x);
    *cosine = cos(x);
}

double tan(double x)
{
    int quarter;
    if (!is_finite(x))
        return undefined(x);
    if (__builtin_fabs(x) < 0x1p-27)
        return x;
    dd r = __lind_reduce(x, &quarter);
    dd s = __lind_sine(r), c = __lind_cosine(r);
    dd t = quarter & 1 ? dd_divide(dd_negative(c), s) : dd_divide(s, c);
    return t.h + t.l;
}
