/* A compressor of the LZ77 kind with hash chains, and its decompressor: text in, back, and compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_BITS = 12, WINDOW = 1 << 14, SHORTEST = 4, LONGEST = 130, TRIES = 8 };

static unsigned hash(const unsigned char *at)
{
    unsigned word = at[0] | at[1] << 8 | at[2] << 16 | (unsigned)at[3] << 24;
    return word * 2654435761u >> (32 - HASH_BITS);
}

/* A literal run is a byte n < 128 and n + 1 bytes; a match is a byte 128 + length - 4 and two bytes of distance. */
static size_t flush(const unsigned char *in, size_t from, size_t to, unsigned char *out, size_t used)
{
    while (from < to) {
        size_t run = to - from < 128 ? to - from : 128;
        out[used++] = (unsigned char)(run - 1);
        memcpy(out + used, in + from, run);
        used += run;
        from += run;
    }
    return used;
}

static size_t compress(const unsigned char *in, size_t size, unsigned char *out)
{
    int *head = malloc(sizeof(int) << HASH_BITS);
    int *previous = malloc(sizeof(int) * WINDOW);
    for (int i = 0; i < 1 << HASH_BITS; i++)
        head[i] = -1;
    size_t used = 0, literal = 0, at = 0;
    while (at + SHORTEST <= size) {
        unsigned slot = hash(in + at);
        size_t best = 0, distance = 0;
        int candidate = head[slot];
        for (int tries = 0; candidate >= 0 && at - (size_t)candidate < WINDOW && tries < TRIES; tries++) {
            const unsigned char *one = in + candidate, *other = in + at;
            size_t limit = size - at < LONGEST ? size - at : LONGEST, length = 0;
            while (length < limit && one[length] == other[length])
                length++;
            if (length > best) {
                best = length;
                distance = at - (size_t)candidate;
            }
            candidate = previous[candidate % WINDOW];
        }
        size_t step = 1;
        if (best >= SHORTEST) {
            used = flush(in, literal, at, out, used);
            out[used++] = (unsigned char)(128 + best - SHORTEST);
            out[used++] = (unsigned char)distance;
            out[used++] = (unsigned char)(distance >> 8);
            step = best;
            literal = at + best;
        }
        for (; step; step--, at++) {
            if (at + SHORTEST > size)
                continue;
            unsigned here = hash(in + at);
            previous[at % WINDOW] = head[here];
            head[here] = (int)at;
        }
    }
    used = flush(in, literal, size, out, used);
    free(head);
    free(previous);
    return used;
}

static size_t expand(const unsigned char *in, size_t size, unsigned char *out)
{
    size_t at = 0, used = 0;
    while (at < size) {
        unsigned mark = in[at++];
        if (mark < 128) {
            memcpy(out + used, in + at, mark + 1);
            at += mark + 1;
            used += mark + 1;
        } else {
            size_t length = mark - 128 + SHORTEST, distance = in[at] | in[at + 1] << 8;
            at += 2;
            for (; length; length--, used++)
                out[used] = out[used - distance];
        }
    }
    return used;
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"the ",   "cage ",  "calls ", "a ",     "grate ", "beneath ", "it, ",
                                        "which ", "sends ", "back ",  "pages ", "and ",   "signals. "};
    size_t size = argc > 1 ? 0 : 12000;
    for (const char *digit = argc > 1 ? argv[1] : ""; *digit; digit++)
        size = size * 10 + (size_t)(*digit - '0');
    unsigned char *text = malloc(size + 16), *packed = malloc(size + size / 64 + 64), *again = malloc(size + 16);
    unsigned seed = 7;
    size_t filled = 0;
    while (filled < size) {
        seed = seed * 1103515245u + 12345u;
        const char *word = words[(seed >> 16) % 13];
        size_t length = strlen(word);
        if (length > size - filled)
            length = size - filled;
        memcpy(text + filled, word, length);
        filled += length;
    }
    size_t small = compress(text, size, packed);
    size_t back = expand(packed, small, again);
    printf("%zu bytes in %zu, the same again: %s\n", size, small,
           back == size && !memcmp(text, again, size) ? "yes" : "no");
    free(text);
    free(packed);
    free(again);
    return 0;
}
