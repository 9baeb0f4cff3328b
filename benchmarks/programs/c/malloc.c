/* Work for malloc: blocks of all sizes, taken, grown and given back in an order without order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 256 };

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? 0 : 2000;
    for (const char *digit = argc > 1 ? argv[1] : ""; *digit; digit++)
        rounds = rounds * 10 + (*digit - '0');
    static unsigned char *blocks[SLOTS];
    static size_t sizes[SLOTS];
    unsigned seed = 99, sum = 0;
    for (int i = 0; i < rounds; i++) {
        seed = seed * 1664525u + 1013904223u;
        unsigned slot = seed >> 8 & (SLOTS - 1);
        size_t size = 1 + (seed >> 16) % 700;
        if (!blocks[slot]) {
            blocks[slot] = malloc(size);
        } else if (seed >> 30 == 0) {
            blocks[slot] = realloc(blocks[slot], size);
        } else {
            sum += blocks[slot][0] + blocks[slot][sizes[slot] - 1];
            free(blocks[slot]);
            blocks[slot] = 0;
            continue;
        }
        if (!blocks[slot])
            return 3;
        sizes[slot] = size;
        blocks[slot][0] = (unsigned char)i;
        blocks[slot][size - 1] = (unsigned char)(i >> 8);
    }
    for (int i = 0; i < SLOTS; i++)
        free(blocks[i]);
    printf("sum %u\n", sum);
    return 0;
}
