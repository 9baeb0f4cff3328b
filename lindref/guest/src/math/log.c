/* Logarithms: the argument is 2^e * m, and m is near one of 95 numbers whose logarithms are in a table. */
#include "core.h"

#include "tables.h"

/* log(x) = *exponent * ln2 + the pair. */
dd __lind_log_parts(dd x, int *exponent)
{
    int e = 0;
    if (x.h < 0x1p-1000) {
        x.h *= 0x1p100;
        x.l *= 0x1p100;
        e = -100;
    }
    int scale = (int)(bits_of(x.h) >> 52) - 1023;
    double m = from_bits((bits_of(x.h) & 0xfffffffffffffULL) | 0x3ff0000000000000ULL);
    if (m > 1.4140625) {
        m /= 2;
        scale++;
    }
    *exponent = e + scale;
    int index = (int)__builtin_rint(m * 128) - 89;
    double c = RECIPROCALS[index];
    dd p = two_product(m, c);
    double low = x.l == 0 ? 0 : ldexp(x.l, -scale);
    dd r = quick_sum(p.h - 1, p.l + low * c);
    dd square = two_product(r.h, r.h);
    double tail = r.h * square.h *
                  (1.0 / 3 + r.h * (-1.0 / 4 + r.h * (1.0 / 5 + r.h * (-1.0 / 6 + r.h * (1.0 / 7 + r.h * (-1.0 / 8 + r.h / 9))))));
    dd s = two_sum(r.h, -square.h / 2);
    s = quick_sum(s.h, s.l + (r.l - square.l / 2 - r.h * r.l + tail));
    return index == 128 - 89 ? s : dd_add(LOGARITHMS[index], s);
}

dd __lind_log(dd x)
{
    int e;
    dd s = __lind_log_parts(x, &e);
    if (!e)
        return s;
    dd whole = two_sum(e * LN2_PARTS[0], e * LN2_PARTS[1]);
    whole.l += e * LN2_PARTS[2];
    return dd_add(whole, s);
}

/* Whether x has an ordinary logarithm; otherwise the result is in *special. */
static int usual(double x, double *special)
{
    if (x > 0 && x < __builtin_inf())
        return 1;
    *special = x == 0 ? math_error(ERANGE, -__builtin_inf()) : x == __builtin_inf() ? x : undefined(x);
    return 0;
}

double log(double x)
{
    double special;
    if (!usual(x, &special))
        return special;
    dd s = __lind_log((dd){x, 0});
    return s.h + s.l;
}

double log2(double x)
{
    double special;
    int e;
    if (!usual(x, &special))
        return special;
    dd s = dd_multiply(__lind_log_parts((dd){x, 0}, &e), INV_LN2);
    dd t = two_sum(e, s.h);
    return t.h + (t.l + s.l);
}

double log10(double x)
{
    double special;
    if (!usual(x, &special))
        return special;
    dd s = dd_multiply(__lind_log((dd){x, 0}), INV_LN10);
    return s.h + s.l;
}

double log1p(double x)
{
    if (x == -1)
        return math_error(ERANGE, -__builtin_inf());
    if (x < -1 || x != x)
        return undefined(x);
    if (x == __builtin_inf() || (x < 0x1p-54 && x > -0x1p-54))
        return x;
    dd s = __lind_log(two_sum(1, x));
    return s.h + s.l;
}

double logb(double x)
{
    if (x == 0)
        return math_error(ERANGE, -__builtin_inf());
    return is_finite(x) ? ilogb(x) : x * x;
}
