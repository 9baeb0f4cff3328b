/* What the compiler calls for 128-bit integers. The names are those of compiler-rt. */
#include <stdint.h>

typedef __int128 ti;
typedef unsigned __int128 uti;

/* A number in two halves, taken apart and put together without any operation on 128 bits. */
union halves {
    uti whole;
    struct {
        uint64_t low, high;
    };
};

static uti join(uint64_t high, uint64_t low)
{
    union halves it;
    it.low = low;
    it.high = high;
    return it.whole;
}

static union halves split(uti value)
{
    union halves it;
    it.whole = value;
    return it;
}

/* 64 x 64 bits, all 128 bits of the product, from products of 32 bits. */
static uti wide(uint64_t a, uint64_t b)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32), other = a0 * b1 + (uint32_t)middle;
    return join(a1 * b1 + (middle >> 32) + (other >> 32), other << 32 | (uint32_t)low);
}

ti __multi3(ti a, ti b)
{
    union halves x = split(a), y = split(b), product = split(wide(x.low, y.low));
    return join(product.high + x.low * y.high + x.high * y.low, product.low);
}

ti __ashlti3(ti a, int count)
{
    union halves x = split(a);
    if (count & 64)
        return join(x.low << (count & 63), 0);
    return count ? join(x.high << count | x.low >> (64 - count), x.low << count) : (uti)a;
}

ti __lshrti3(ti a, int count)
{
    union halves x = split(a);
    if (count & 64)
        return join(0, x.high >> (count & 63));
    return count ? join(x.high >> count, x.low >> count | x.high << (64 - count)) : (uti)a;
}

ti __ashrti3(ti a, int count)
{
    union halves x = split(a);
    int64_t high = x.high;
    if (count & 64)
        return join(high >> 63, high >> (count & 63));
    return count ? join(high >> count, x.low >> count | x.high << (64 - count)) : (uti)a;
}

/* Shift and subtract, from the highest bit of the dividend. */
uti __udivmodti4(uti a, uti b, uti *rest)
{
    union halves n = split(a), d = split(b), q = {0}, r = {0};
    if (!n.high && !d.high) {
        if (rest)
            *rest = join(0, n.low % d.low);
        return join(0, n.low / d.low);
    }
    int top = n.high ? 127 - __builtin_clzll(n.high) : 63 - __builtin_clzll(n.low | 1);
    for (int i = top; i >= 0; i--) {
        uint64_t bit = i >= 64 ? n.high >> (i - 64) & 1 : n.low >> i & 1;
        int carry = r.high >> 63;
        r.high = r.high << 1 | r.low >> 63;
        r.low = r.low << 1 | bit;
        if (carry || r.high > d.high || (r.high == d.high && r.low >= d.low)) {
            uint64_t borrow = r.low < d.low;
            r.low -= d.low;
            r.high -= d.high + borrow;
            if (i >= 64)
                q.high |= 1ULL << (i - 64);
            else
                q.low |= 1ULL << i;
        }
    }
    if (rest)
        *rest = r.whole;
    return q.whole;
}

static uti negated(uti value)
{
    union halves x = split(value);
    uint64_t low = 0 - x.low;
    return join(0 - x.high - (x.low != 0), low);
}

static int negative(ti value)
{
    return (int64_t)split(value).high < 0;
}

static uti magnitude(ti value)
{
    return negative(value) ? negated(value) : (uti)value;
}

uti __udivti3(uti a, uti b)
{
    return __udivmodti4(a, b, 0);
}

uti __umodti3(uti a, uti b)
{
    uti rest;
    __udivmodti4(a, b, &rest);
    return rest;
}

ti __divti3(ti a, ti b)
{
    uti quotient = __udivmodti4(magnitude(a), magnitude(b), 0);
    return negative(a) != negative(b) ? negated(quotient) : quotient;
}

ti __modti3(ti a, ti b)
{
    uti rest;
    __udivmodti4(magnitude(a), magnitude(b), &rest);
    return negative(a) ? negated(rest) : rest;
}

ti __muloti4(ti a, ti b, int *overflow)
{
    ti product = __multi3(a, b);
    union halves y = split(b);
    int none = !(y.low | y.high);
    union halves x = split(a);
    int least = x.low == 0 && x.high == 1ULL << 63, minus_one = (y.low & y.high) == ~0ULL;
    *overflow = !none && ((least && minus_one) || split(__divti3(product, b)).low != x.low ||
                          split(__divti3(product, b)).high != x.high);
    return product;
}
