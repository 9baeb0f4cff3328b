/* What the compiler calls for long double (IEEE binary128). The names are those of compiler-rt. */
#include <stdint.h>

typedef unsigned __int128 wide;
typedef __int128 signed_wide;

union quad {
    long double x;
    wide bits;
};

#define BIAS 16383
#define TOP 0x7fff
#define IMPLICIT ((wide)1 << 112)
#define SIGN ((wide)1 << 127)
#define INFINITE ((wide)TOP << 112)
#define QUIET ((wide)1 << 111)

static wide raw(long double x)
{
    return ((union quad){.x = x}).bits;
}

static long double cooked(wide bits)
{
    return ((union quad){.bits = bits}).x;
}

static int first_bit(wide m)
{
    uint64_t high = m >> 64;
    return high ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll((uint64_t)m);
}

/* A finite number as mantissa * 2^(exponent - BIAS - 112); the first bit of the mantissa is at place 112. */
static wide apart(wide bits, int *exponent)
{
    wide m = bits & (IMPLICIT - 1);
    *exponent = (int)(bits >> 112) & TOP;
    if (*exponent)
        return m | IMPLICIT;
    if (!m)
        return 0;
    int shift = 112 - first_bit(m);
    *exponent = 1 - shift;
    return m << shift;
}

/* Round m * 2^(exponent - BIAS - 115), the first bit at place 115, the last standing for all that was lost. */
static long double together(wide sign, wide m, int exponent)
{
    if (exponent >= TOP)
        return cooked(sign | INFINITE);
    if (exponent <= 0) {
        int shift = 1 - exponent;
        m = shift > 120 ? 1 : m >> shift | ((m & (((wide)1 << shift) - 1)) != 0);
        exponent = 0;
    } else {
        m &= ~(IMPLICIT << 3);
    }
    int lost = (int)m & 7;
    wide bits = sign | ((wide)exponent << 112) + (m >> 3);
    if (lost > 4 || (lost == 4 && bits & 1))
        bits++;
    return cooked(bits);
}

static int is_nan(wide bits)
{
    return (bits & ~SIGN) > INFINITE;
}

long double __addtf3(long double x, long double y)
{
    wide a = raw(x), b = raw(y);
    if (is_nan(a) || is_nan(b))
        return cooked((is_nan(a) ? a : b) | QUIET);
    if ((a & ~SIGN) < (b & ~SIGN)) {
        wide other = a;
        a = b;
        b = other;
    }
    wide sign = a & SIGN;
    if ((a & ~SIGN) == INFINITE)
        return (b & ~SIGN) == INFINITE && (a ^ b) & SIGN ? cooked(INFINITE | QUIET) : cooked(a);
    int ea, eb;
    wide ma = apart(a, &ea) << 3, mb = apart(b, &eb) << 3;
    if (!mb)
        return ma ? cooked(a) : cooked(a & b);
    int distance = ea - eb;
    if (distance > 118)
        mb = 1;
    else if (distance)
        mb = mb >> distance | ((mb & (((wide)1 << distance) - 1)) != 0);
    if ((a ^ b) & SIGN) {
        ma -= mb;
        if (!ma)
            return 0;
        int shift = 115 - first_bit(ma);
        ma <<= shift;
        ea -= shift;
    } else {
        ma += mb;
        if (ma >> 116) {
            ma = ma >> 1 | (ma & 1);
            ea++;
        }
    }
    return together(sign, ma, ea);
}

long double __subtf3(long double x, long double y)
{
    return __addtf3(x, cooked(raw(y) ^ SIGN));
}

static wide product64(uint64_t a, uint64_t b)
{
    return (wide)a * b;
}

long double __multf3(long double x, long double y)
{
    wide a = raw(x), b = raw(y), sign = (a ^ b) & SIGN;
    if (is_nan(a) || is_nan(b))
        return cooked((is_nan(a) ? a : b) | QUIET);
    int ea, eb;
    if ((a & ~SIGN) == INFINITE || (b & ~SIGN) == INFINITE)
        return (a & ~SIGN) && (b & ~SIGN) ? cooked(sign | INFINITE) : cooked(INFINITE | QUIET);
    wide ma = apart(a, &ea), mb = apart(b, &eb);
    if (!ma || !mb)
        return cooked(sign);
    /* 113 x 113 bits: the upper 128 bits of the product of (ma << 15) and mb, and whether anything is below. */
    ma <<= 15;
    uint64_t al = ma, ah = ma >> 64, bl = mb, bh = mb >> 64;
    wide low = product64(al, bl), m1 = product64(ah, bl), m2 = product64(al, bh), high = product64(ah, bh);
    wide middle = (low >> 64) + (uint64_t)m1 + (uint64_t)m2;
    high += (m1 >> 64) + (m2 >> 64) + (middle >> 64);
    int below = ((uint64_t)low | (uint64_t)middle) != 0;
    /* The first bit is at place 111 or 112 of `high`; bits at 64… of the rest fill the places below. */
    wide rest = (wide)(uint64_t)middle << 64 | (uint64_t)low;
    int shift = 115 - first_bit(high);
    wide m = high << shift | rest >> (128 - shift);
    below = (rest << shift) != 0;
    return together(sign, m | (wide)below, ea + eb - BIAS + 4 - shift);
}

long double __divtf3(long double x, long double y)
{
    wide a = raw(x), b = raw(y), sign = (a ^ b) & SIGN;
    if (is_nan(a) || is_nan(b))
        return cooked((is_nan(a) ? a : b) | QUIET);
    int a_infinite = (a & ~SIGN) == INFINITE, b_infinite = (b & ~SIGN) == INFINITE, ea, eb;
    if (a_infinite || b_infinite)
        return a_infinite && b_infinite ? cooked(INFINITE | QUIET) : cooked(a_infinite ? sign | INFINITE : sign);
    wide ma = apart(a, &ea), mb = apart(b, &eb);
    if (!mb)
        return cooked(ma ? sign | INFINITE : INFINITE | QUIET);
    if (!ma)
        return cooked(sign);
    int exponent = ea - eb + BIAS;
    if (ma < mb) {
        ma <<= 1;
        exponent--;
    }
    wide quotient = 0;
    for (int i = 0; i < 116; i++) {
        quotient <<= 1;
        if (ma >= mb) {
            ma -= mb;
            quotient |= 1;
        }
        ma <<= 1;
    }
    return together(sign, quotient | (ma != 0), exponent);
}

/* -1, 0, 1, or 2 where there is no order. */
static int order(long double x, long double y)
{
    wide a = raw(x), b = raw(y);
    if (is_nan(a) || is_nan(b))
        return 2;
    if (!((a | b) & ~SIGN))
        return 0;
    signed_wide left = a & SIGN ? -(signed_wide)(a & ~SIGN) : (signed_wide)a;
    signed_wide right = b & SIGN ? -(signed_wide)(b & ~SIGN) : (signed_wide)b;
    return left < right ? -1 : left > right;
}

int __eqtf2(long double x, long double y) { return order(x, y) != 0; }
int __netf2(long double x, long double y) { return order(x, y) != 0; }
int __lttf2(long double x, long double y) { return order(x, y); }
int __letf2(long double x, long double y) { return order(x, y); }
int __gttf2(long double x, long double y) { int o = order(x, y); return o == 2 ? -1 : o; }
int __getf2(long double x, long double y) { int o = order(x, y); return o == 2 ? -1 : o; }
int __unordtf2(long double x, long double y) { return order(x, y) == 2; }

long double __extenddftf2(double x)
{
    union {
        double x;
        uint64_t bits;
    } it = {x};
    wide sign = (wide)(it.bits >> 63) << 127;
    uint64_t m = it.bits & 0xfffffffffffffULL;
    int e = it.bits >> 52 & 0x7ff;
    if (e == 0x7ff)
        return cooked(sign | INFINITE | (wide)m << 60 | (m ? QUIET : 0));
    if (!e) {
        if (!m)
            return cooked(sign);
        int shift = __builtin_clzll(m) - 11;
        m = m << shift & 0xfffffffffffffULL;
        e = 1 - shift;
    }
    return cooked(sign | (wide)(e - 1023 + BIAS) << 112 | (wide)m << 60);
}

long double __extendsftf2(float x)
{
    return __extenddftf2(x);
}

/* Round to `bits` bits of mantissa and an exponent with that bias. */
static uint64_t narrowed(long double x, int bits, int bias)
{
    wide b = raw(x), m;
    int e, top = 2 * bias + 1;
    uint64_t sign = (uint64_t)(b >> 127) << (bits + (bias == 1023 ? 11 : 8));
    if (is_nan(b))
        return sign | (uint64_t)top << bits | 1ULL << (bits - 1) | (uint64_t)((b & (IMPLICIT - 1)) >> (112 - bits));
    if ((b & ~SIGN) == INFINITE)
        return sign | (uint64_t)top << bits;
    m = apart(b, &e);
    e += bias - BIAS;
    if (!m || e < -bits - 2)
        return sign;
    if (e >= top)
        return sign | (uint64_t)top << bits;
    int shift = 112 - bits + (e <= 0 ? 1 - e : 0);
    wide rest = m & (((wide)1 << shift) - 1), half = (wide)1 << (shift - 1);
    uint64_t kept = (uint64_t)(m >> shift);
    kept = e <= 0 ? kept : (kept & ((1ULL << bits) - 1)) + ((uint64_t)e << bits);
    if (rest > half || (rest == half && kept & 1))
        kept++;
    return sign | kept;
}

double __trunctfdf2(long double x)
{
    union {
        uint64_t bits;
        double x;
    } it = {narrowed(x, 52, 1023)};
    return it.x;
}

float __trunctfsf2(long double x)
{
    union {
        uint32_t bits;
        float x;
    } it = {(uint32_t)narrowed(x, 23, 127)};
    return it.x;
}

long double __floatunditf(uint64_t n)
{
    if (!n)
        return 0;
    int top = 63 - __builtin_clzll(n);
    return cooked((wide)(BIAS + top) << 112 | ((wide)n << (112 - top) & (IMPLICIT - 1)));
}

long double __floatditf(int64_t n)
{
    return n < 0 ? cooked(raw(__floatunditf(0 - (uint64_t)n)) | SIGN) : __floatunditf(n);
}

long double __floatunsitf(uint32_t n) { return __floatunditf(n); }
long double __floatsitf(int32_t n) { return __floatditf(n); }

/* Towards zero; what does not fit becomes the limit. */
static uint64_t whole(long double x, int *negative, int *over)
{
    wide b = raw(x);
    int e;
    *negative = b >> 127 != 0;
    *over = 0;
    if (is_nan(b))
        return 0;
    wide m = apart(b, &e);
    e -= BIAS;
    if (!m || e < 0)
        return 0;
    if (e > 63) {
        *over = 1;
        return ~0ULL;
    }
    return (uint64_t)(m >> (112 - e));
}

uint64_t __fixunstfdi(long double x)
{
    int negative, over;
    uint64_t n = whole(x, &negative, &over);
    return negative ? 0 : n;
}

int64_t __fixtfdi(long double x)
{
    int negative, over;
    uint64_t n = whole(x, &negative, &over), limit = negative ? 1ULL << 63 : ~0ULL >> 1;
    if (over || n > limit)
        n = limit;
    return negative ? (int64_t)(0 - n) : (int64_t)n;
}

uint32_t __fixunstfsi(long double x)
{
    uint64_t n = __fixunstfdi(x);
    return n > 0xffffffffu ? 0xffffffffu : (uint32_t)n;
}

int32_t __fixtfsi(long double x)
{
    int64_t n = __fixtfdi(x);
    return n > 0x7fffffff ? 0x7fffffff : n < -0x7fffffff - 1 ? -0x7fffffff - 1 : (int32_t)n;
}
