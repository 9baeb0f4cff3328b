/* What the mathematics share. A number that must be known to more than 53 bits is a pair: the sum of two doubles, the
 * second much smaller. The pairs here are good to about 100 bits. */
#ifndef LIND_MATH_CORE_H
#define LIND_MATH_CORE_H

#include "../internal.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>

typedef struct {
    double h, l;
} dd;

static inline uint64_t bits_of(double x)
{
    union {
        double x;
        uint64_t bits;
    } it = {x};
    return it.bits;
}

static inline double from_bits(uint64_t bits)
{
    union {
        uint64_t bits;
        double x;
    } it = {bits};
    return it.x;
}

/* a + b, exactly; in the second form |a| >= |b|. */
static inline dd two_sum(double a, double b)
{
    double s = a + b, t = s - a;
    return (dd){s, (a - (s - t)) + (b - t)};
}

static inline dd quick_sum(double a, double b)
{
    double s = a + b;
    return (dd){s, b - (s - a)};
}

/* a * b, exactly, while nothing overflows or underflows: each factor is cut into halves. */
static inline dd two_product(double a, double b)
{
    double p = a * b, t = 134217729.0 * a, ah = t - (t - a), al = a - ah;
    t = 134217729.0 * b;
    double bh = t - (t - b), bl = b - bh;
    return (dd){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static inline dd dd_add(dd a, dd b)
{
    dd s = two_sum(a.h, b.h), t = two_sum(a.l, b.l);
    s = quick_sum(s.h, s.l + t.h);
    return quick_sum(s.h, s.l + t.l);
}

static inline dd dd_negative(dd a)
{
    return (dd){-a.h, -a.l};
}

static inline dd dd_multiply(dd a, dd b)
{
    dd p = two_product(a.h, b.h);
    return quick_sum(p.h, p.l + (a.h * b.l + a.l * b.h));
}

static inline dd dd_divide(dd a, dd b)
{
    double q = a.h / b.h;
    dd p = two_product(q, b.h);
    double r = ((a.h - p.h) - p.l) + a.l - q * b.l;
    return quick_sum(q, r / b.h);
}

static inline dd dd_root(dd a)
{
    double s = __builtin_sqrt(a.h);
    if (s == 0)
        return (dd){s, 0};
    dd p = two_product(s, s);
    return quick_sum(s, (((a.h - p.h) - p.l) + a.l) / (2 * s));
}

/* x * 2^n for n from -1022 to 1023. */
static inline double power_of_two(int n)
{
    return from_bits((uint64_t)(n + 1023) << 52);
}

/* exp(n ln2/64 + r) = the pair * 2^*exponent; |r| < 0.006 (math/exp.c). */
dd __lind_exp_kernel(int n, dd r, int *exponent);
/* exp(x) likewise; |x| < 800. */
dd __lind_exp(dd x, int *exponent);
/* The logarithm of a positive finite pair (math/log.c). */
dd __lind_log(dd x);
/* The same divided by ln 2, and in whole and rest. */
dd __lind_log_parts(dd x, int *exponent);
/* x less a multiple of pi/2, which is known modulo 4 (math/reduce.c). */
dd __lind_reduce(double x, int *quarter);
/* Sine and cosine within pi/4 of 0 (math/trigonometry.c). */
dd __lind_sine(dd x);
dd __lind_cosine(dd x);
/* The angle of (x, y) for 0 <= y <= x, x > 0 (math/arcs.c). */
dd __lind_angle(dd y, dd x);

static inline double math_error(int number, double result)
{
    errno = number;
    return result;
}

/* What a function gives where it is not defined. */
static inline double undefined(double x)
{
    return x != x ? x : math_error(EDOM, __builtin_nan(""));
}

static inline int is_finite(double x)
{
    return (bits_of(x) >> 52 & 0x7ff) != 0x7ff;
}

#endif
