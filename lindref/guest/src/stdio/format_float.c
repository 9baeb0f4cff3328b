/* Formatted output of floating-point numbers, rounded exactly (to nearest, ties to even). */
#include "file.h"

#include <string.h>

/* A number taken apart: (high:low) * 2^exponent. */
struct number {
    int negative;
    enum { FINITE, INFINITE, NOT_A_NUMBER } class;
    uint64_t high, low;
    int exponent;
    int quad;
};

static struct number take_apart(uint64_t high, uint64_t low, int quad)
{
    struct number n = {.quad = quad};
    uint64_t top = quad ? high : low;
    int mantissa_bits = quad ? 48 : 52, exponent_bits = quad ? 15 : 11;
    int biased = top >> mantissa_bits & ((1 << exponent_bits) - 1);
    uint64_t fraction = top & ((1ULL << mantissa_bits) - 1);
    n.negative = top >> 63;
    if (biased == (1 << exponent_bits) - 1) {
        n.class = fraction || (quad && low) ? NOT_A_NUMBER : INFINITE;
        return n;
    }
    uint64_t leading = biased ? 1ULL << mantissa_bits : 0;
    n.high = quad ? leading | fraction : 0;
    n.low = quad ? low : leading | fraction;
    n.exponent = (biased ? biased : 1) - (quad ? 16383 + 112 : 1023 + 52);
    return n;
}

/* Keep `kept` digits, rounding by those behind. */
static void round_digits(struct decimal *d, int kept)
{
    if (kept >= d->count)
        return;
    if (kept < 0) {
        d->count = 0;
        return;
    }
    int next = d->digits[kept], tail = d->more;
    for (int i = kept + 1; i < d->count && !tail; i++)
        tail = d->digits[i] != 0;
    int odd = kept && d->digits[kept - 1] & 1;
    d->count = kept;
    if (next < 5 || (next == 5 && !tail && !odd))
        return;
    int i = kept;
    while (i && d->digits[i - 1] == 9)
        d->digits[--i] = 0;
    if (i) {
        d->digits[i - 1]++;
    } else { /* 999 became 1000: one digit more in front */
        if (kept)
            memmove(d->digits + 1, d->digits, kept - 1);
        d->digits[0] = 1;
        d->count = kept ? kept : 1;
        d->point++;
    }
}

static void put_digits(struct sink *sink, const struct decimal *d, int from, int count)
{
    char text[32];
    while (count > 0) {
        int some = count < (int)sizeof text ? count : (int)sizeof text;
        for (int i = 0; i < some; i++, from++)
            text[i] = from >= 0 && from < d->count ? '0' + d->digits[from] : '0';
        sink->emit(sink, text, some);
        sink->total += some;
        count -= some;
    }
}

static void put(struct sink *sink, const char *text, size_t size)
{
    if (size)
        sink->emit(sink, text, size);
    sink->total += size;
}

/* Everything but the body: padding and sign on the left before it, padding behind it. */
static long open_field(struct sink *sink, const struct spec *spec, const char *prefix, long body, int zero)
{
    long padding = spec->width - body - (long)strlen(prefix);
    int left = spec->flags & LEFT, zeros = zero && spec->flags & ZERO && !left;
    if (!left && !zeros)
        __lind_emit_padding(sink, ' ', padding);
    put(sink, prefix, strlen(prefix));
    if (zeros)
        __lind_emit_padding(sink, '0', padding);
    return left ? padding : 0;
}

static const char *sign_of(const struct spec *spec, const struct number *n)
{
    return n->negative ? "-" : spec->flags & PLUS ? "+" : spec->flags & SPACE ? " " : "";
}

/* ddd.ddd with `decimals` digits behind the point */
static void put_fixed(struct sink *sink, const struct spec *spec, const char *sign, const struct decimal *d,
                      int decimals)
{
    int whole = d->count && d->point > 0 ? d->point : 0;
    int dot = decimals > 0 || spec->flags & ALTERNATE;
    long after = open_field(sink, spec, sign, (whole ? whole : 1) + dot + decimals, 1);
    if (whole)
        put_digits(sink, d, 0, whole);
    else
        put(sink, "0", 1);
    put(sink, ".", dot);
    if (d->count)
        put_digits(sink, d, d->point, decimals);
    else
        __lind_emit_padding(sink, '0', decimals);
    __lind_emit_padding(sink, ' ', after);
}

/* e+dd, at least two digits */
static int exponent_text(char *text, int letter, int exponent, int least)
{
    int count = 0, digits = 0;
    char reversed[8];
    text[count++] = letter;
    text[count++] = exponent < 0 ? '-' : '+';
    for (unsigned rest = exponent < 0 ? -exponent : exponent; rest || digits < least; rest /= 10)
        reversed[digits++] = '0' + rest % 10;
    while (digits)
        text[count++] = reversed[--digits];
    return count;
}

static void put_scientific(struct sink *sink, const struct spec *spec, const char *sign, const struct decimal *d,
                           int decimals, int letter)
{
    char tail[12];
    int tail_size = exponent_text(tail, letter, d->count ? d->point - 1 : 0, 2);
    int dot = decimals > 0 || spec->flags & ALTERNATE;
    long after = open_field(sink, spec, sign, 1 + dot + decimals + tail_size, 1);
    put_digits(sink, d, 0, 1);
    put(sink, ".", dot);
    put_digits(sink, d, 1, decimals);
    put(sink, tail, tail_size);
    __lind_emit_padding(sink, ' ', after);
}

/* How many digits are left when trailing zeros go. */
static int without_zeros(const struct decimal *d)
{
    int count = d->count;
    while (count && !d->digits[count - 1])
        count--;
    return count;
}

static void format_decimal(struct sink *sink, const struct spec *spec, const struct number *n, char *digits)
{
    struct decimal d;
    const char *sign = sign_of(spec, n);
    int lower = spec->conversion | 32, upper = spec->conversion & 32 ? 0 : 32;
    int precision = spec->precision < 0 ? 6 : spec->precision;
    if (lower == 'f') {
        __lind_decimal(&d, n->high, n->low, n->exponent, precision, 0, digits);
        round_digits(&d, d.point + precision);
        put_fixed(sink, spec, sign, &d, precision);
        return;
    }
    if (lower == 'g' && !precision)
        precision = 1;
    int significant = lower == 'g' ? precision : precision + 1;
    __lind_decimal(&d, n->high, n->low, n->exponent, -1, significant, digits);
    round_digits(&d, significant);
    if (lower == 'e') {
        put_scientific(sink, spec, sign, &d, precision, 'e' - upper);
        return;
    }
    int exponent = d.count ? d.point - 1 : 0;
    int shown = spec->flags & ALTERNATE ? significant : without_zeros(&d);
    if (shown < 1)
        shown = 1;
    if (exponent < -4 || exponent >= significant) {
        put_scientific(sink, spec, sign, &d, shown - 1, 'e' - upper);
    } else {
        int decimals = shown - 1 - exponent;
        put_fixed(sink, spec, sign, &d, decimals > 0 ? decimals : 0);
    }
}

/* 0xh.hhhp±d: the digits are the mantissa's own, so this is exact unless a precision asks for fewer. */
static void format_hexadecimal(struct sink *sink, const struct spec *spec, struct number n)
{
    const char *letters = spec->conversion == 'a' ? "0123456789abcdef" : "0123456789ABCDEF";
    int total = n.quad ? 28 : 13;       /* hexadecimal digits behind the point */
    int digits[29], exponent = n.exponent + 4 * total;
    for (int i = total; i >= 0; i--) {
        digits[i] = n.low & 15;
        n.low = n.low >> 4 | n.high << 60;
        n.high >>= 4;
    }
    int zero = 1, last = 0;
    for (int i = 0; i <= total; i++)
        if (digits[i])
            zero = 0, last = i;
    int decimals = spec->precision < 0 ? last : spec->precision;
    if (decimals < total) {
        int next = digits[decimals + 1], tail = last > decimals + 1;
        if (next > 8 || (next == 8 && (tail || digits[decimals] & 1)))
            for (int i = decimals; ++digits[i] == 16 && i; i--)
                digits[i] = 0;
    }
    char prefix[4] = "", tail[12];
    strcat(strcat(prefix, sign_of(spec, &n)), spec->conversion == 'a' ? "0x" : "0X");
    int tail_size = exponent_text(tail, spec->conversion == 'a' ? 'p' : 'P', zero ? 0 : exponent, 1);
    int dot = decimals > 0 || spec->flags & ALTERNATE;
    long after = open_field(sink, spec, prefix, 1 + dot + decimals + tail_size, 1);
    put(sink, &letters[digits[0]], 1);
    put(sink, ".", dot);
    for (int i = 1; i <= decimals; i++)
        put(sink, i <= total ? &letters[digits[i]] : "0", 1);
    put(sink, tail, tail_size);
    __lind_emit_padding(sink, ' ', after);
}

/* A long double can have 11,563 digits: its own function, so that its stack is not everybody's. */
__attribute__((noinline)) static void format_quad(struct sink *sink, const struct spec *spec, const struct number *n)
{
    char digits[11600];
    format_decimal(sink, spec, n, digits);
}

__attribute__((noinline)) static void format_double(struct sink *sink, const struct spec *spec,
                                                    const struct number *n)
{
    char digits[800];
    format_decimal(sink, spec, n, digits);
}

void __lind_format_float(struct sink *sink, const struct spec *spec, uint64_t high, uint64_t low, int quad)
{
    struct number n = take_apart(high, low, quad);
    int lower = spec->conversion & 32;
    if (n.class != FINITE) {
        const char *text = n.class == INFINITE ? (lower ? "inf" : "INF") : (lower ? "nan" : "NAN");
        long after = open_field(sink, spec, sign_of(spec, &n), 3, 0);
        put(sink, text, 3);
        __lind_emit_padding(sink, ' ', after);
    } else if ((spec->conversion | 32) == 'a') {
        format_hexadecimal(sink, spec, n);
    } else if (quad) {
        format_quad(sink, spec, &n);
    } else {
        format_double(sink, spec, &n);
    }
}
