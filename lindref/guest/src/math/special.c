/* The error function and the gamma function. */
#include "core.h"

#include "tables.h"

int signgam;

/* e^-x², with x² to all its bits; x² < 760. */
static dd bell(double x)
{
    int exponent;
    dd e = __lind_exp(dd_negative(two_product(x, x)), &exponent);
    return (dd){ldexp(e.h, exponent), ldexp(e.l, exponent)};
}

/* erf for 0 <= x < 2.6: 2/sqrt(pi) e^-x² sum of 2^n x^(2n+1) / (1 3 5 … (2n+1)), in which nothing cancels. */
static dd erf_series(double x)
{
    dd twice = two_product(x, x), term = {x, 0}, sum = term;
    twice = (dd){2 * twice.h, 2 * twice.l};
    for (int n = 1; term.h > sum.h * 0x1p-66; n++) {
        term = dd_divide(dd_multiply(term, twice), (dd){2 * n + 1, 0});
        sum = dd_add(sum, term);
    }
    return dd_multiply(dd_multiply(sum, bell(x)), TWO_BY_SQRT_PI);
}

/* erfc for x >= 2: e^-x² / (x sqrt(pi)) over a continued fraction, from its far end. */
static double erfc_fraction(double x)
{
    double square = x * x, fraction = 0;
    for (int n = x < 3 ? 90 : x < 6 ? 40 : 16; n > 0; n--)
        fraction = n / (2 * (1 + fraction) * square) * 1.0;
    dd e = dd_multiply(bell(x), TWO_BY_SQRT_PI);
    dd below = dd_multiply(two_sum(1, fraction), (dd){2 * x, 0});
    dd result = dd_divide(e, below);
    return result.h + result.l;
}

double erf(double x)
{
    double size = __builtin_fabs(x);
    if (x != x)
        return x;
    if (size > 6)
        return __builtin_copysign(1, x);
    if (size < 0x1p-28)
        return TWO_BY_SQRT_PI.h * x;
    if (size > 2.6)
        return __builtin_copysign(1 - erfc_fraction(size), x);
    dd s = erf_series(size);
    return __builtin_copysign(s.h + s.l, x);
}

double erfc(double x)
{
    if (x != x)
        return x;
    if (x > 27.3)
        return x == __builtin_inf() ? 0 : math_error(ERANGE, 0);
    if (x < -6)
        return 2;
    if (x > 2.2)
        return erfc_fraction(x);
    dd s = x < 0 ? dd_negative(erf_series(-x)) : erf_series(x);
    s = dd_add((dd){1, 0}, dd_negative(s));
    return s.h + s.l;
}

/* log gamma(x) for x > 0: Stirling's series, after x was moved up to where it is good. */
static dd stirling(double x)
{
    dd product = {1, 0}, z = {x, 0};
    while (z.h < 15) {
        product = dd_multiply(product, z);
        z = dd_add(z, (dd){1, 0});
    }
    double inverse = 1 / z.h, square = inverse * inverse, tail = 0;
    for (int i = LENGTH(STIRLING) - 1; i > 0; i--)
        tail = (tail + STIRLING[i]) * square;
    dd first = dd_divide((dd){1, 0}, dd_multiply(z, (dd){12, 0}));
    dd sum = dd_multiply(dd_add(z, (dd){-0.5, 0}), __lind_log(z));
    sum = dd_add(sum, dd_add(HALF_LN_TWO_PI, dd_negative(z)));
    sum = dd_add(sum, dd_add(first, (dd){tail * inverse, 0}));
    return product.h == 1 ? sum : dd_add(sum, dd_negative(__lind_log(product)));
}

/* log gamma(1 + t), |t| <= 0.3: near its zero by its own series. */
static dd near_one(double t)
{
    double sum = 0;
    for (int i = LENGTH(ZETA) - 1; i > 0; i--)
        sum = (i & 1 ? -ZETA[i] : ZETA[i]) + sum * t;
    dd s = dd_multiply((dd){-EULER.h, -EULER.l}, (dd){t, 0});
    dd square = two_product(t, t), second = dd_multiply(square, (dd){ZETA[0], 0});
    return dd_add(s, dd_add(second, (dd){square.h * t * sum, 0}));
}

static dd log_gamma(double x)
{
    if (x > 0.7 && x < 1.3)
        return near_one(x - 1);
    if (x > 1.7 && x < 2.3) /* gamma(x) = (x - 1) gamma(x - 1) */
        return dd_add(near_one(x - 2), __lind_log((dd){x - 1, 0}));
    return stirling(x);
}

/* sin(pi x) for 0 < x < 1/2 or so. */
static dd sine_of_pi(double x)
{
    double from = x > 0.5 ? 1 - x : x;
    if (from <= 0.25)
        return __lind_sine(dd_multiply(PI, (dd){from, 0}));
    return __lind_cosine(dd_multiply(PI, (dd){0.5 - from, 0}));
}

double lgamma_r(double x, int *sign)
{
    *sign = 1;
    if (!is_finite(x))
        return x * x;
    if (x <= 0 && __builtin_floor(x) == x) {
        *sign = x == 0 && __builtin_signbit(x) ? -1 : 1;
        return math_error(ERANGE, __builtin_inf());
    }
    if (x > 2.556348e305)
        return math_error(ERANGE, __builtin_inf());
    if (x > 0x1p60)
        return x * (log(x) - 1);
    if (x > 0) {
        dd s = log_gamma(x);
        return s.h + s.l;
    }
    if (x > -0x1p-60) {
        *sign = -1;
        return -log(-x);
    }
    double whole = __builtin_floor(x);
    *sign = __builtin_fabs(__builtin_fmod(whole, 2)) == 1 ? -1 : 1;
    dd s = dd_add(__lind_log(dd_divide(PI, dd_multiply(sine_of_pi(x - whole), (dd){-x, 0}))), dd_negative(log_gamma(-x)));
    return s.h + s.l;
}

double lgamma(double x)
{
    return lgamma_r(x, &signgam);
}

double gamma(double x)
{
    return lgamma(x);
}

double tgamma(double x)
{
    int exponent;
    if (x != x || x == __builtin_inf())
        return x;
    if (x == 0)
        return math_error(ERANGE, __builtin_copysign(__builtin_inf(), x));
    if (x < 0 && __builtin_floor(x) == x)
        return math_error(EDOM, __builtin_nan(""));
    if (x > 171.62437695630272)
        return math_error(ERANGE, __builtin_inf());
    if (__builtin_floor(x) == x) {
        dd product = {1, 0};
        for (int i = 2; i < x; i++)
            product = i < 160 ? dd_multiply(product, (dd){i, 0}) : (dd){product.h * i, product.l * i};
        return product.h + product.l;
    }
    if (x > 0) {
        dd e = __lind_exp(log_gamma(x), &exponent);
        return ldexp(e.h + e.l, exponent);
    }
    double whole = __builtin_floor(x);
    int odd = __builtin_fabs(__builtin_fmod(whole, 2)) == 1;
    if (x < -184)
        return math_error(ERANGE, odd ? -0.0 : 0.0);
    dd s = sine_of_pi(x - whole), e = __lind_exp(dd_negative(log_gamma(-x)), &exponent);
    s = dd_multiply(dd_divide(PI, dd_multiply(s, (dd){-x, 0})), e);
    double result = ldexp(s.h + s.l, exponent);
    return odd ? -result : result;
}
