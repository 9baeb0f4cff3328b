/* Exact decimal digits of mantissa * 2^exponent, by whole-number arithmetic in 32-bit words.
 *
 * The integer part is divided by 10^9 again and again, the fraction multiplied by 10^9; each step gives nine digits.
 * Only the words that are not zero take part, so ordinary numbers cost a few steps. */
#include "../internal.h"

#define BILLION 1000000000u
#define WORDS 520            /* 16,384 bits of a binary128 integer part, or 16,494 of its fraction, and some */
#define GROUPS 552           /* nine-digit groups of the largest binary128 */

/* Add nine digits of `group` (fewer where leading zeros are dropped at the very front). */
static void append(struct decimal *out, uint32_t group)
{
    for (uint32_t unit = BILLION / 10; unit; unit /= 10) {
        int digit = group / unit;
        group -= digit * unit;
        if (out->count || digit)
            out->digits[out->count++] = digit;
    }
}

/* words[0 … n) are the value, lowest first; divide by 10^9, give the remainder. */
static uint32_t divide(uint32_t *words, int n)
{
    uint64_t rest = 0;
    for (int i = n; i-- > 0;) {
        rest = rest << 32 | words[i];
        words[i] = rest / BILLION;
        rest %= BILLION;
    }
    return rest;
}

/* The 128-bit value shifted left by `shift` (0 … 31) and placed at words[at …]; five words are written. */
static void place(uint32_t *words, uint64_t high, uint64_t low, int shift)
{
    uint64_t carry = 0, parts[4] = {(uint32_t)low, low >> 32, (uint32_t)high, high >> 32};
    for (int i = 0; i < 4; i++) {
        carry |= parts[i] << shift;
        words[i] = carry;
        carry >>= 32;
    }
    words[4] = carry;
}

static void integer_digits(struct decimal *out, uint32_t *words, int n)
{
    uint32_t groups[GROUPS];
    int count = 0;
    for (; n && !words[n - 1]; n--)
        ;
    while (n) {
        groups[count++] = divide(words, n);
        if (!words[n - 1])
            n--;
    }
    while (count)
        append(out, groups[--count]);
    out->point = out->count;
}

/* The fraction is words[low … high] of a fixed-point number whose point lies above words[n - 1]. */
static void fraction_digits(struct decimal *out, uint32_t *words, int n, int places, int significant)
{
    int low = 0, high = n - 1, decimals = 0;
    for (;;) {
        while (high >= 0 && !words[high])
            high--;
        while (low <= high && !words[low])
            low++;
        if (low > high)
            return;
        if (places >= 0 ? decimals > places : out->count > significant) {
            out->more = 1;
            return;
        }
        uint64_t carry = 0;
        for (int i = low; i <= high; i++) {
            carry += (uint64_t)words[i] * BILLION;
            words[i] = carry;
            carry >>= 32;
        }
        uint32_t group = 0;
        if (high == n - 1)
            group = carry;
        else if (carry)
            words[++high] = carry;
        int before = out->count;
        append(out, group);
        if (!before && out->count) /* the first digit that is not zero decides where the point is */
            out->point = out->count - (decimals + 9);
        decimals += 9;
    }
}

void __lind_decimal(struct decimal *out, uint64_t high, uint64_t low, int exponent, int places, int significant,
                    char *digits)
{
    uint32_t words[WORDS];
    *out = (struct decimal){.digits = digits};
    if (!high && !low)
        return;
    if (exponent >= 0) {
        int at = exponent / 32;
        for (int i = 0; i < at; i++)
            words[i] = 0;
        place(words + at, high, low, exponent % 32);
        integer_digits(out, words, at + 5);
        return;
    }
    int bits = -exponent, n = (bits + 31) / 32;
    /* Shift so that the point falls between two words: n words of fraction, the integer part above. */
    for (int i = 0; i < n + 5; i++)
        words[i] = 0;
    place(words, high, low, 32 * n - bits);
    int top = n < 5 ? 5 : n;
    if (n < 5) {
        uint32_t whole[5];
        for (int i = n; i < top; i++)
            whole[i - n] = words[i];
        integer_digits(out, whole, top - n);
    }
    fraction_digits(out, words, n, places, significant);
}
