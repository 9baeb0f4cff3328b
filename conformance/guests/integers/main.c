/* Integer arithmetic of all widths: wrapping, shifting, dividing, counting bits, 128 bits. */
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>

static void show128(unsigned __int128 n)
{
    char digits[40], *at = digits + 39;
    *at = 0;
    do
        *--at = (char)('0' + (int)(n % 10));
    while (n /= 10);
    printf("%s\n", at);
}

int main(void)
{
    volatile uint8_t a = 200;
    volatile uint16_t b = 60000;
    volatile uint32_t c = 4000000000u;
    volatile uint64_t d = 18000000000000000000u;
    printf("%u %u %u %" PRIu64 "\n", (uint8_t)(a * 2), (uint16_t)(b * 2), c * 2, d * 2);
    volatile int32_t e = -1000000007;
    volatile int64_t f = -1000000000000000003;
    printf("%d %d %d %d\n", e / 7, e % 7, e >> 3, (int)((uint32_t)e >> 28));
    printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", f / 11, f % 11, f >> 40);
    printf("%d %d\n", (int8_t)a, (int16_t)b);
    printf("%u %u\n", c / 3, c % 1000);
    printf("%" PRIu64 " %" PRIu64 "\n", d / 1000000007, d % 1000000007);
    volatile int shift = 31;
    printf("%u %d %" PRIx64 "\n", 1u << shift, (int)(1u << shift) >> shift, UINT64_C(1) << (shift + 20));
    printf("%d %d %d %d\n", __builtin_popcount(c), __builtin_clz(c), __builtin_ctz(c), __builtin_popcountll(d));
    int sum;
    printf("%d", __builtin_add_overflow(INT_MAX, e * 0 + 1, &sum));
    printf(" %d", sum);
    long long product;
    printf(" %d", __builtin_mul_overflow((long long)f, 12LL, &product));
    printf(" %d\n", __builtin_mul_overflow((long long)f, 3LL, &product));
    unsigned __int128 big = (unsigned __int128)d * d;
    show128(big);
    show128(big / 12345678901234567ULL);
    show128(big % ((unsigned __int128)d + 12345));
    show128(big >> 70);
    show128((big << 9) + 1);
    __int128 negative = -(__int128)big / 3;
    printf("%d ", negative < 0);
    show128((unsigned __int128)-negative);
    printf("%08x %" PRIx64 "\n", __builtin_bswap32(0x12345678), __builtin_bswap64(0x123456789abcdef0));
    printf("%d %d %d\n", CHAR_MIN, SHRT_MAX, INT_MIN);
    unsigned crc = 0xffffffff;
    for (const char *s = "123456789"; *s; s++) {
        crc ^= (unsigned char)*s;
        for (int i = 0; i < 8; i++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    printf("%08x\n", ~crc);
    unsigned low = 1, high = 0;
    for (const char *s = "Wikipedia"; *s; s++) {
        low = (low + (unsigned char)*s) % 65521;
        high = (high + low) % 65521;
    }
    printf("%08x\n", high << 16 | low);
    return 0;
}
