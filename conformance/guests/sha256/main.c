/* SHA-256 of the standard's examples and of standard input. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct state {
    uint32_t h[8];
    uint64_t length;
    unsigned char block[64];
    size_t used;
};

static uint32_t k[64];

/* The constants are the fractions of roots of primes, by integer roots. */
static uint32_t fraction_of_root(int prime, int degree)
{
    /* floor(prime^(1/degree) * 2^32), bit by bit, in 128 bits of two halves: 2^32 * root < 2^37. */
    uint64_t root = 0;
    for (int bit = 36; bit >= 0; bit--) {
        uint64_t next = root | 1ULL << bit;
        unsigned __int128 power = (unsigned __int128)next * next;
        unsigned __int128 limit = (unsigned __int128)prime << 64;
        if (degree == 3) {
            limit = (unsigned __int128)prime << 96;
            if (power > limit / next)
                continue;
        } else if (power > limit) {
            continue;
        }
        root = next;
    }
    return (uint32_t)root;
}

static void start(struct state *s)
{
    int prime = 2, count = 0;
    memset(s, 0, sizeof *s);
    for (; count < 64; prime++) {
        int is_prime = 1;
        for (int d = 2; d * d <= prime; d++)
            is_prime &= prime % d != 0;
        if (!is_prime)
            continue;
        k[count] = fraction_of_root(prime, 3);
        if (count < 8)
            s->h[count] = fraction_of_root(prime, 2);
        count++;
    }
}

static uint32_t turn(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void compress(struct state *s)
{
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)s->block[4 * i] << 24 | s->block[4 * i + 1] << 16 | s->block[4 * i + 2] << 8 | s->block[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10) + w[i - 7] +
               (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 16];
    memcpy(v, s->h, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
        uint32_t t2 = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        s->h[i] += v[i];
}

static void feed(struct state *s, const void *data, size_t size)
{
    const unsigned char *at = data;
    s->length += size;
    while (size--) {
        s->block[s->used++] = *at++;
        if (s->used == 64) {
            compress(s);
            s->used = 0;
        }
    }
}

static void finish(struct state *s)
{
    uint64_t bits = s->length * 8;
    unsigned char one = 0x80, zero = 0, end[8];
    feed(s, &one, 1);
    while (s->used != 56)
        feed(s, &zero, 1);
    for (int i = 0; i < 8; i++)
        end[i] = bits >> (56 - 8 * i);
    feed(s, end, 8);
    for (int i = 0; i < 8; i++)
        printf("%08x", s->h[i]);
    printf("\n");
}

int main(void)
{
    static const char *texts[] = {"", "abc", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"};
    struct state s;
    for (int i = 0; i < 3; i++) {
        start(&s);
        feed(&s, texts[i], strlen(texts[i]));
        finish(&s);
    }
    char buffer[100];
    size_t got;
    start(&s);
    while ((got = fread(buffer, 1, sizeof buffer, stdin)) > 0)
        feed(&s, buffer, got);
    finish(&s);
    return 0;
}
