/* An angle less a multiple of pi/2. */
#include "core.h"

#include "tables.h"

/* Big angles: the product with those bits of 2/pi that matter, in whole numbers (Payne and Hanek). The fraction of
 * x * 2/pi has to be known to more than 120 bits, because up to 60 of its first ones can be 0. */
static dd reduce_big(double x, int *quarter)
{
    int exponent = (int)(bits_of(x) >> 52) - 1075; /* x = mantissa * 2^exponent */
    uint64_t mantissa = (bits_of(x) & 0xfffffffffffffULL) | 1ULL << 52;
    int first = exponent > 2 ? exponent - 1 : 1; /* bits of 2/pi before this one give multiples of 4 */
    uint32_t window[6], product[8] = {0};
    for (int i = 0; i < 6; i++) { /* most significant word first */
        int bit = first - 1 + 32 * i, word = bit / 32, shift = bit % 32;
        window[i] = TWO_BY_PI[word] << shift | (shift ? TWO_BY_PI[word + 1] >> (32 - shift) : 0);
    }
    for (int m = 0; m < 2; m++) { /* product: least significant word first */
        uint64_t carry = 0, factor = m ? mantissa >> 32 : (uint32_t)mantissa;
        for (int i = 0; i < 6; i++) {
            carry += product[m + i] + factor * window[5 - i];
            product[m + i] = (uint32_t)carry;
            carry >>= 32;
        }
        product[m + 6] += (uint32_t)carry;
    }
    /* The product is in units of 2^(exponent - first - 191). */
    int point = first + 191 - exponent;
    uint32_t fraction[4];
    for (int i = 0; i < 4; i++) { /* the 128 bits behind the point, most significant first */
        int bit = point - 32 * (i + 1), word = bit >> 5, shift = bit & 31;
        fraction[i] = product[word] >> shift | (shift && word < 7 ? product[word + 1] << (32 - shift) : 0);
    }
    int whole = product[point >> 5] >> (point & 31) & 3;
    if ((point & 31) == 31 && point < 255)
        whole = (product[point >> 5] >> 31 | product[(point >> 5) + 1] << 1) & 3;
    uint64_t high = (uint64_t)fraction[0] << 32 | fraction[1], low = (uint64_t)fraction[2] << 32 | fraction[3];
    int negative = high >> 63;
    if (negative) { /* the nearer multiple is the next one */
        whole++;
        low = ~low;
        high = ~high;
        if (!++low)
            high++;
    }
    *quarter = whole & 3;
    /* Into a pair: 53 bits are taken from the first one that is set. */
    int zeros = high ? __builtin_clzll(high) : 64 + (low ? __builtin_clzll(low) : 0);
    uint64_t top, rest;
    if (zeros >= 64) {
        top = low << (zeros - 64);
        rest = 0;
    } else {
        top = zeros ? high << zeros | low >> (64 - zeros) : high;
        rest = low << zeros;
    }
    dd f = {(double)(top >> 11) * 0x1p-53, (double)((top & 0x7ff) << 53 | rest >> 11) * 0x1p-117};
    f = quick_sum(f.h, f.l);
    double scale = power_of_two(-zeros);
    f = dd_multiply((dd){f.h * scale, f.l * scale}, HALF_PI);
    return negative ? dd_negative(f) : f;
}

dd __lind_reduce(double x, int *quarter)
{
    double size = __builtin_fabs(x);
    if (size <= 0.785398163397448) {
        *quarter = 0;
        return (dd){x, 0};
    }
    if (size < 0x1p26) {
        double n = __builtin_rint(x * 0.63661977236758134308);
        dd a = two_sum(x - n * HALF_PI_PARTS[0], -n * HALF_PI_PARTS[1]);
        dd b = two_sum(a.h, -n * HALF_PI_PARTS[2]);
        *quarter = (int)n & 3;
        dd low = two_sum(a.l, b.l);
        b = quick_sum(b.h, low.h);
        return quick_sum(b.h, b.l + (low.l - n * HALF_PI_PARTS[3]));
    }
    dd r = reduce_big(size, quarter);
    if (x > 0)
        return r;
    *quarter = -*quarter & 3;
    return dd_negative(r);
}
