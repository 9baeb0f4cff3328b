/* x * y + z with one rounding: in whole numbers of 128 bits. */
#include "core.h"

typedef unsigned __int128 wide;

/* A number as mantissa * 2^exponent with the first bit of the mantissa at place 120. */
struct number {
    wide mantissa;
    int exponent, negative;
};

static int first_bit(wide m)
{
    uint64_t high = m >> 64;
    return high ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll((uint64_t)m);
}

static struct number normal(wide mantissa, int exponent, int negative)
{
    int shift = 120 - first_bit(mantissa);
    return (struct number){mantissa << shift, exponent - shift, negative};
}

static uint64_t mantissa_of(double x, int *exponent)
{
    return (uint64_t)(__builtin_fabs(frexp(x, exponent)) * 0x1p53);
}

/* Round to the nearest double, ties to even. */
static double rounded(wide mantissa, int exponent, int negative)
{
    int last = exponent + first_bit(mantissa) - 52; /* the exponent of the last bit kept */
    if (last < -1074)
        last = -1074;
    int shift = last - exponent;
    uint64_t kept;
    if (shift <= 0) {
        kept = (uint64_t)(mantissa << -shift);
    } else if (shift > 124) {
        kept = 0;
    } else {
        wide rest = mantissa & (((wide)1 << shift) - 1), half = (wide)1 << (shift - 1);
        kept = (uint64_t)(mantissa >> shift);
        if (rest > half || (rest == half && kept & 1))
            kept++;
    }
    double result = scalbn((double)kept, last);
    return negative ? -result : result;
}

double fma(double x, double y, double z)
{
    int ex, ey, ez;
    if (!is_finite(x) || !is_finite(y) || !is_finite(z) || x == 0 || y == 0)
        return x * y + z;
    wide product = (wide)mantissa_of(x, &ex) * mantissa_of(y, &ey);
    struct number p = normal(product, ex + ey - 106, __builtin_signbit(x) != __builtin_signbit(y));
    if (z == 0)
        return rounded(p.mantissa, p.exponent, p.negative);
    uint64_t addend = mantissa_of(z, &ez);
    struct number q = normal(addend, ez - 53, __builtin_signbit(z) != 0), big = p, small = q;
    if (q.exponent > p.exponent || (q.exponent == p.exponent && q.mantissa > p.mantissa)) {
        big = q;
        small = p;
    }
    int distance = big.exponent - small.exponent;
    if (distance > 122) {
        small.mantissa = 1; /* something, but less than any bit that counts */
    } else if (distance) {
        wide lost = small.mantissa & (((wide)1 << distance) - 1);
        small.mantissa = small.mantissa >> distance | (lost != 0);
    }
    wide sum = big.negative == small.negative ? big.mantissa + small.mantissa : big.mantissa - small.mantissa;
    return sum ? rounded(sum, big.exponent, big.negative) : 0;
}

/* The product of two floats is a double; adding rounds to odd, so that the second rounding does no harm. */
float fmaf(float x, float y, float z)
{
    double product = (double)x * y;
    dd s = two_sum(product, z);
    if (s.l != 0 && is_finite(s.h) && !(bits_of(s.h) & 1))
        s.h = from_bits(bits_of(s.h) + ((s.l > 0) == (s.h > 0) ? 1 : -1ULL));
    return (float)s.h;
}
