/* Pseudo-random numbers. The sequences are those of the GNU library, so that a program with a fixed seed prints the
 * same natively and as a guest: an additive lagged generator (31 words, lag 3), and the 48-bit linear one. */
#include "../internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define DEGREE 31
#define LAG 3

static uint32_t state[DEGREE];
static int front, seeded;
static volatile int lock;

static uint32_t step(void)
{
    uint32_t value = state[front] += state[(front + DEGREE - LAG) % DEGREE];
    front = (front + 1) % DEGREE;
    return value >> 1;
}

/* The first words come from the multiplicative generator 16807 modulo 2^31 - 1; then 310 numbers are thrown away. */
static void seed(uint32_t value)
{
    int64_t word = value ? (int32_t)value : 1;
    for (int i = 0; i < DEGREE; i++) {
        state[i] = word;
        word = word * 16807 % 2147483647;
        if (word < 0)
            word += 2147483647;
    }
    front = LAG;
    for (int i = 0; i < 10 * DEGREE; i++)
        step();
    seeded = 1;
}

void srandom(unsigned value)
{
    __lind_lock(&lock);
    seed(value);
    __lind_unlock(&lock);
}

long random(void)
{
    __lind_lock(&lock);
    if (!seeded)
        seed(1);
    long value = step();
    __lind_unlock(&lock);
    return value;
}

void srand(unsigned value)
{
    srandom(value);
}

int rand(void)
{
    return random();
}

/* There is one generator; a state array of the caller's is seeded, not used. */
char *initstate(unsigned value, char *array, size_t size)
{
    (void)size;
    srandom(value);
    return array;
}

char *setstate(char *array)
{
    return array;
}

int rand_r(unsigned *seed_word)
{
    unsigned word = *seed_word, result = 0;
    for (int i = 0; i < 3; i++) {
        word = word * 1103515245 + 12345;
        result = i ? result << 10 ^ (word >> 16 & 0x3ff) : word >> 16 & 0x7ff;
    }
    *seed_word = word;
    return result;
}

/* x := 0x5deece66d x + 11 (mod 2^48) */

static unsigned short shared[3] = {0x330e, 0, 0};

static uint64_t step48(unsigned short words[3])
{
    uint64_t x = (uint64_t)words[2] << 32 | (uint32_t)words[1] << 16 | words[0];
    x = (x * 0x5deece66dULL + 11) & 0xffffffffffffULL;
    words[0] = x;
    words[1] = x >> 16;
    words[2] = x >> 32;
    return x;
}

double erand48(unsigned short words[3]) { return step48(words) * 0x1p-48; }
double drand48(void) { return erand48(shared); }
long nrand48(unsigned short words[3]) { return step48(words) >> 17; }
long lrand48(void) { return nrand48(shared); }
long jrand48(unsigned short words[3]) { return (int32_t)(step48(words) >> 16); }
long mrand48(void) { return jrand48(shared); }

void srand48(long value)
{
    shared[0] = 0x330e;
    shared[1] = value;
    shared[2] = (unsigned long)value >> 16;
}

unsigned short *seed48(unsigned short words[3])
{
    static unsigned short old[3];
    for (int i = 0; i < 3; i++) {
        old[i] = shared[i];
        shared[i] = words[i];
    }
    return old;
}

/* Random bytes from the system. */

ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
    return CALL(LIND_CALL_GETRANDOM, POINTER(buffer), SIZE(size), SIZE(flags));
}

int getentropy(void *buffer, size_t size)
{
    if (size > 256) {
        errno = EIO;
        return -1;
    }
    return getrandom(buffer, size, 0) == (ssize_t)size ? 0 : -1;
}
