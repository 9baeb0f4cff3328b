/* Exponentials: the argument is a multiple of ln2/64 and a rest, for which five terms of the series are enough. */
#include "core.h"

#include "tables.h"

dd __lind_exp_kernel(int n, dd r, int *exponent)
{
    dd t = POWERS[n & 63];
    double z = r.h * r.h;
    double q = z * (0.5 + r.h * (1.0 / 6 + r.h * (1.0 / 24 + r.h * (1.0 / 120 + r.h * (1.0 / 720))))) + r.l;
    dd p = two_product(t.h, r.h), s = quick_sum(t.h, p.h);
    *exponent = n >> 6;
    return quick_sum(s.h, s.l + (p.l + t.l + t.h * q + t.l * r.h));
}

dd __lind_exp(dd x, int *exponent)
{
    double n = __builtin_rint(x.h * (64 / 0.69314718055994530942));
    dd r = two_sum(x.h - n * LN2_BY_64[0], -n * LN2_BY_64[1]);
    r = quick_sum(r.h, r.l + (x.l - n * LN2_BY_64[2]));
    return __lind_exp_kernel((int)n, r, exponent);
}

double exp(double x)
{
    int exponent;
    if (x != x || x == __builtin_inf())
        return x;
    if (x > 709.782712893384)
        return math_error(ERANGE, __builtin_inf());
    if (x < -745.1332191019412)
        return x == -__builtin_inf() ? 0 : math_error(ERANGE, 0);
    dd e = __lind_exp((dd){x, 0}, &exponent);
    double result = ldexp(e.h + e.l, exponent);
    if (x < -708.3964185322641)
        errno = ERANGE;
    return result;
}

/* base^x where log2(base) is a pair. */
static double power_of(double x, dd log_base, dd multiple, double greatest, double least)
{
    int exponent;
    if (x != x || x == __builtin_inf())
        return x;
    if (x > greatest)
        return math_error(ERANGE, __builtin_inf());
    if (x < least)
        return x == -__builtin_inf() ? 0 : math_error(ERANGE, 0);
    if (log_base.h == 1) {
        double n = __builtin_rint(x * 64);
        dd r = two_product(x - n / 64, LN2.h);
        r.l += (x - n / 64) * LN2.l;
        dd e = __lind_exp_kernel((int)n, r, &exponent);
        return ldexp(e.h + e.l, exponent);
    }
    dd y = two_product(x, multiple.h);
    dd e = __lind_exp(quick_sum(y.h, y.l + x * multiple.l), &exponent);
    return ldexp(e.h + e.l, exponent);
}

double exp2(double x)
{
    return power_of(x, (dd){1, 0}, LN2, 1023.9999999999999, -1075);
}

double exp10(double x)
{
    return power_of(x, (dd){0, 0}, LN10, 308.25471555991674, -323.60724533877976);
}

double expm1(double x)
{
    int exponent;
    if (x != x || x == __builtin_inf() || x == 0)
        return x;
    if (x > 709.782712893384)
        return math_error(ERANGE, __builtin_inf());
    if (x < -45)
        return -1;
    if (x > -0.1 && x < 0.1) {
        double sum = 0;
        static const double terms[] = {1 / 6227020800.0, 1 / 479001600.0, 1 / 39916800.0, 1 / 3628800.0, 1 / 362880.0,
                                       1 / 40320.0, 1 / 5040.0, 1 / 720.0, 1 / 120.0, 1 / 24.0, 1 / 6.0};
        for (unsigned i = 0; i < LENGTH(terms); i++)
            sum = sum * x + terms[i];
        dd square = two_product(x, x), s = quick_sum(x, square.h / 2);
        return s.h + (s.l + (square.l / 2 + square.h * x * sum));
    }
    dd e = __lind_exp((dd){x, 0}, &exponent);
    int half = exponent / 2; /* 2^1024 is no double */
    e.h = e.h * power_of_two(half) * power_of_two(exponent - half);
    e.l = e.l * power_of_two(half) * power_of_two(exponent - half);
    dd s = two_sum(e.h, -1);
    return s.h + (s.l + e.l);
}
