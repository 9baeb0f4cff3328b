/* Reading floating-point numbers, rounded exactly (to nearest, ties to even).
 *
 * The digits become a decimal fraction in groups of nine. It is doubled or halved, many bits at a time, until its
 * integer part has as many bits as the mantissa; what is left behind the point decides the rounding. */
#include "../internal.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BILLION 1000000000u

/* A format: how many bits the mantissa has, and the exponents of the last bit of the smallest and largest numbers. */
struct format {
    int bits, least, greatest;
    int groups; /* how many nine-digit groups can decide a rounding; what follows counts as "something more" */
};
static const struct format single = {24, -149, 104, 16}, dual = {53, -1074, 971, 90}, quad = {113, -16494, 16271, 1290};

/* 0.g0 g1 g2 … in base 10^9, times (10^9)^point; `more`: and something non-zero behind. */
struct fraction {
    int point, count, capacity, more;
    uint32_t *groups;
};

static void drop_zeros(struct fraction *f)
{
    int zeros = 0;
    while (zeros < f->count && !f->groups[zeros])
        zeros++;
    if (zeros) {
        f->count -= zeros;
        f->point -= zeros;
        memmove(f->groups, f->groups + zeros, f->count * sizeof *f->groups);
    }
    while (f->count && !f->groups[f->count - 1])
        f->count--;
}

/* f := f * 2^bits, bits <= 29 */
static void enlarge(struct fraction *f, int bits)
{
    uint64_t carry = 0;
    for (int i = f->count; i-- > 0;) {
        carry += (uint64_t)f->groups[i] << bits;
        f->groups[i] = carry % BILLION;
        carry /= BILLION;
    }
    if (carry) {
        if (f->count == f->capacity)
            f->more |= f->groups[--f->count] != 0;
        memmove(f->groups + 1, f->groups, f->count++ * sizeof *f->groups);
        f->groups[0] = carry;
        f->point++;
    }
    drop_zeros(f);
}

/* f := f / 2^bits, bits <= 29 */
static void reduce(struct fraction *f, int bits)
{
    uint64_t rest = 0;
    int i = 0;
    for (; i < f->count || (rest && i < f->capacity); i++) {
        uint64_t value = rest * BILLION + (i < f->count ? f->groups[i] : 0);
        f->groups[i] = value >> bits;
        rest = value & ((1u << bits) - 1);
    }
    f->count = i;
    f->more |= rest != 0;
    drop_zeros(f);
}

/* The integer part, as far as 128 bits hold it: its length in bits, 129 when it is longer. */
static int whole_part(const struct fraction *f, uint64_t *high, uint64_t *low)
{
    uint64_t parts[4] = {0};
    *high = *low = 0;
    if (!f->count || f->point <= 0)
        return 0;
    if (f->point > 5)
        return 129;
    for (int i = 0; i < f->point; i++) {
        uint64_t carry = i < f->count ? f->groups[i] : 0;
        for (int j = 0; j < 4; j++) {
            carry += parts[j] * BILLION;
            parts[j] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry)
            return 129;
    }
    *high = parts[3] << 32 | parts[2];
    *low = parts[1] << 32 | parts[0];
    return *high ? 128 - __builtin_clzll(*high) : *low ? 64 - __builtin_clzll(*low) : 0;
}

/* How the part behind the point compares with one half: -1, 0, 1; -2 when there is none. */
static int compare_half(const struct fraction *f)
{
    int first = f->point < 0 ? -1 : f->point;
    uint32_t group = first >= 0 && first < f->count ? f->groups[first] : 0;
    int tail = f->more || (first < 0 ? f->count > 0 : f->count > first + 1);
    if (group != BILLION / 2)
        return group || tail ? (group > BILLION / 2 ? 1 : -1) : -2;
    return tail ? 1 : 0;
}

struct parsed {
    int negative;
    enum { NUMBER, INFINITE, NOT_A_NUMBER } class;
    uint64_t high, low;         /* mantissa */
    int exponent;               /* of its last bit */
    int inexact;
};

static void round_up(struct parsed *out)
{
    if (!++out->low)
        out->high++;
}

static void from_decimal(struct parsed *out, struct fraction *f, const struct format *format)
{
    int exponent = 0, bits;
    /* Far away numbers come near in big steps, then bit by bit. */
    for (;;) {
        bits = whole_part(f, &out->high, &out->low);
        int lack = format->bits - bits;
        if (lack < 0) {
            int step = bits > 128 ? 29 : -lack < 29 ? -lack : 29;
            reduce(f, step);
            exponent += step;
        } else if (lack > 0 && exponent > format->least) {
            int step = lack < 29 ? lack : 29;
            if (exponent - step < format->least)
                step = exponent - format->least;
            enlarge(f, step);
            exponent -= step;
        } else {
            break;
        }
    }
    int half = compare_half(f);
    if (half == 1 || (half == 0 && out->low & 1))
        round_up(out);
    out->inexact = half != -2;
    out->exponent = exponent;
}

/* decimal digits with a point and an exponent; the end of what was used, or NULL when there is no number */
static const char *read_decimal(struct parsed *out, const char *at, const struct format *format, uint32_t *groups)
{
    struct fraction f = {.groups = groups, .capacity = format->groups};
    const char *end = 0;
    int seen_point = 0, started = 0, in_group = 0;
    long point = 0; /* decimal digits before the point, counted from the first that is not zero */
    for (;; at++) {
        if (*at == '.' && !seen_point) {
            seen_point = 1;
            if (end)
                end = at + 1;
            continue;
        }
        if (!isdigit((unsigned char)*at))
            break;
        end = at + 1;
        started |= *at != '0';
        if (!seen_point)
            point += started;
        else if (!started)
            point--;
        if (!started)
            continue;
        if (f.count == f.capacity && !in_group) {
            f.more |= *at != '0';
        } else {
            if (!in_group)
                f.groups[f.count++] = 0;
            f.groups[f.count - 1] = f.groups[f.count - 1] * 10 + *at - '0';
            in_group = (in_group + 1) % 9;
        }
    }
    if (!end)
        return 0;
    if ((*at | 32) == 'e' && end == at) {
        const char *sign = at + 1;
        int negative = *sign == '-';
        sign += *sign == '-' || *sign == '+';
        if (isdigit((unsigned char)*sign)) {
            long exponent = 0;
            for (; isdigit((unsigned char)*sign); sign++)
                if (exponent < 1000000)
                    exponent = exponent * 10 + *sign - '0';
            point += negative ? -exponent : exponent;
            end = sign;
        }
    }
    *out = (struct parsed){0};
    if (!f.count)
        return end;
    while (in_group) { /* fill the last group */
        f.groups[f.count - 1] *= 10;
        in_group = (in_group + 1) % 9;
    }
    if (point > 5000) {
        out->exponent = INT_MAX / 2;
        out->low = 1;
        return end;
    }
    if (point < -5100) {
        out->inexact = 1;
        out->exponent = format->least;
        return end;
    }
    /* `point` counts digits, f.point counts groups: shift by what is between, as a multiplication by 10^n. */
    int shift = ((int)point % 9 + 9) % 9;
    f.point = ((int)point - shift) / 9;
    if (shift) {
        uint32_t power = 1;
        for (int i = 0; i < shift; i++)
            power *= 10;
        uint64_t carry = 0;
        for (int i = f.count; i-- > 0;) {
            carry += (uint64_t)f.groups[i] * power;
            f.groups[i] = carry % BILLION;
            carry /= BILLION;
        }
        if (f.count == f.capacity)
            f.more |= f.groups[--f.count] != 0;
        memmove(f.groups + 1, f.groups, f.count++ * sizeof *f.groups);
        f.groups[0] = carry;
        f.point++;
    }
    drop_zeros(&f);
    from_decimal(out, &f, format);
    return end;
}

/* hexadecimal digits after 0x, with a binary exponent */
static const char *read_hexadecimal(struct parsed *out, const char *at, const struct format *format)
{
    const char *end = 0;
    int seen_point = 0, more = 0;
    long exponent = 0;
    *out = (struct parsed){0};
    for (;; at++) {
        if (*at == '.' && !seen_point) {
            seen_point = 1;
            if (end)
                end = at + 1;
            continue;
        }
        if (!isxdigit((unsigned char)*at))
            break;
        end = at + 1;
        int digit = isdigit((unsigned char)*at) ? *at - '0' : (*at | 32) - 'a' + 10;
        if (out->high >> 56) { /* 120 bits are plenty; the rest only decides ties */
            more |= digit;
            exponent += seen_point ? 0 : 4;
        } else {
            out->high = out->high << 4 | out->low >> 60;
            out->low = out->low << 4 | digit;
            exponent -= seen_point ? 4 : 0;
        }
    }
    if (!end)
        return 0;
    if ((*at | 32) == 'p' && end == at) {
        const char *sign = at + 1;
        int negative = *sign == '-';
        sign += *sign == '-' || *sign == '+';
        if (isdigit((unsigned char)*sign)) {
            long power = 0;
            for (; isdigit((unsigned char)*sign); sign++)
                if (power < 1000000)
                    power = power * 10 + *sign - '0';
            exponent += negative ? -power : power;
            end = sign;
        }
    }
    if (!out->high && !out->low)
        return end;
    /* Bring it to the mantissa's length, or to the least exponent, keeping one bit for the half. */
    int bits = out->high ? 128 - __builtin_clzll(out->high) : 64 - __builtin_clzll(out->low);
    long drop = bits - format->bits;
    if (exponent + drop < format->least)
        drop = format->least - exponent;
    int half = 0;
    if (drop > 127) { /* all of it is behind the last bit */
        more = 1;
        out->high = out->low = 0;
        exponent += drop;
    } else
        for (; drop > 0; drop--) {
            more |= half;
            half = out->low & 1;
            out->low = out->low >> 1 | out->high << 63;
            out->high >>= 1;
            exponent++;
        }
    if (half && (more || out->low & 1))
        round_up(out);
    out->inexact = half || more;
    out->exponent = exponent;
    return end;
}

static const char *read_any(struct parsed *out, const char *text, const struct format *format, uint32_t *groups)
{
    const char *at = text, *end;
    while (isspace((unsigned char)*at))
        at++;
    int negative = *at == '-';
    at += *at == '-' || *at == '+';
    *out = (struct parsed){0};
    if (!strncasecmp(at, "inf", 3)) {
        out->class = INFINITE;
        end = at + (strncasecmp(at, "infinity", 8) ? 3 : 8);
    } else if (!strncasecmp(at, "nan", 3)) {
        out->class = NOT_A_NUMBER;
        end = at + 3;
        const char *inside = end;
        if (*inside == '(') {
            for (inside++; isalnum((unsigned char)*inside) || *inside == '_'; inside++)
                ;
            if (*inside == ')')
                end = inside + 1;
        }
    } else {
        end = at[0] == '0' && (at[1] | 32) == 'x' ? read_hexadecimal(out, at + 2, format) : 0;
        if (!end)
            end = read_decimal(out, at, format, groups);
    }
    out->negative = negative;
    return end ? end : text;
}

/* Whether the mantissa has bit `bit` or one above it. */
static int reaches(const struct parsed *p, int bit)
{
    return bit >= 64 ? p->high >> (bit - 64) != 0 : p->high || (bit < 64 && p->low >> bit);
}

/* Bring the mantissa to its full length, as far as the least exponent allows; whether the number is too large. */
static int settle(struct parsed *p, const struct format *format)
{
    if (p->class != NUMBER)
        return 0;
    if (reaches(p, format->bits)) { /* rounding up made it one bit longer */
        p->low = p->low >> 1 | p->high << 63;
        p->high >>= 1;
        p->exponent++;
    }
    while ((p->high || p->low) && p->exponent > format->least && !reaches(p, format->bits - 1)) {
        p->high = p->high << 1 | p->low >> 63;
        p->low <<= 1;
        p->exponent--;
    }
    int small = !reaches(p, format->bits - 1), large = p->exponent > format->greatest;
    if (large || (small && p->inexact))
        errno = ERANGE;
    return large;
}

static double make_double(const struct parsed *p, int overflow)
{
    union {
        uint64_t word;
        double value;
    } bits = {0};
    if (p->class == NOT_A_NUMBER)
        bits.word = 0x7ff8000000000000;
    else if (p->class == INFINITE || overflow)
        bits.word = 0x7ff0000000000000;
    else /* without its top bit it belongs to exponent field 0; with it, that bit adds one to the field */
        bits.word = p->low >> 52 ? ((uint64_t)(p->exponent + 1074) << 52) + p->low : p->low;
    bits.word |= (uint64_t)p->negative << 63;
    return bits.value;
}

double strtod(const char *restrict text, char **restrict end)
{
    uint32_t groups[90 + 1];
    struct parsed p;
    const char *stop = read_any(&p, text, &dual, groups);
    if (end)
        *end = (char *)stop;
    return make_double(&p, settle(&p, &dual));
}

float strtof(const char *restrict text, char **restrict end)
{
    uint32_t groups[16 + 1];
    struct parsed p;
    const char *stop = read_any(&p, text, &single, groups);
    if (end)
        *end = (char *)stop;
    int overflow = settle(&p, &single);
    union {
        uint32_t word;
        float value;
    } bits = {0};
    if (p.class == NOT_A_NUMBER)
        bits.word = 0x7fc00000;
    else if (p.class == INFINITE || overflow)
        bits.word = 0x7f800000;
    else
        bits.word = p.low >> 23 ? ((uint32_t)(p.exponent + 149) << 23) + p.low : p.low;
    bits.word |= (uint32_t)p.negative << 31;
    return bits.value;
}

long double strtold(const char *restrict text, char **restrict end)
{
    uint32_t groups[1290 + 1];
    struct parsed p;
    const char *stop = read_any(&p, text, &quad, groups);
    if (end)
        *end = (char *)stop;
    int overflow = settle(&p, &quad);
    union {
        uint64_t words[2];
        long double value;
    } bits = {{0}};
    if (p.class == NOT_A_NUMBER) {
        bits.words[1] = 0x7fff800000000000;
    } else if (p.class == INFINITE || overflow) {
        bits.words[1] = 0x7fff000000000000;
    } else {
        bits.words[0] = p.low;
        bits.words[1] = p.high >> 48 ? ((uint64_t)(p.exponent + 16494) << 48) + p.high : p.high;
    }
    bits.words[1] |= (uint64_t)p.negative << 63;
    return bits.value;
}

double atof(const char *text)
{
    return strtod(text, 0);
}
