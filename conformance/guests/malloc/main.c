/* Memory: a long random script of malloc, calloc, realloc and free, each block checked for what was written to it. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 64

static unsigned char *blocks[SLOTS];
static size_t sizes[SLOTS];
static unsigned char tags[SLOTS];
static uint32_t state = 12345;

static uint32_t next(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static size_t some_size(void)
{
    switch (next() % 16) {
    case 0: return 0;
    case 1: return 100000 + next() % 100000;
    case 2: return 4000 + next() % 200;
    default: return next() % 400;
    }
}

/* The first and last bytes say whose block it is. */
static void mark(int slot)
{
    size_t n = sizes[slot];
    tags[slot] = next() % 255 + 1;
    if (n > 64) {
        memset(blocks[slot], tags[slot], 32);
        memset(blocks[slot] + n - 32, tags[slot], 32);
    } else {
        memset(blocks[slot], tags[slot], n);
    }
}

static int intact(int slot, size_t n, size_t whole)
{
    for (size_t i = 0; i < n; i++) {
        if (whole > 64 && i == 32)
            i = whole - 32;
        if (i < n && blocks[slot][i] != tags[slot])
            return 0;
    }
    return 1;
}

/* An argument is another seed for the script. */
int main(int argc, char **argv)
{
    if (argc > 1)
        state = strtoul(argv[1], NULL, 0) * 2654435761u | 1;
    int wrong = 0, unaligned = 0, not_zero = 0;
    for (int step = 0; step < 1200; step++) {
        int slot = next() % SLOTS;
        if (!blocks[slot]) {
            sizes[slot] = some_size();
            if (next() % 4 == 0) {
                blocks[slot] = calloc(sizes[slot] / 4 + 1, 4);
                for (size_t i = 0; i < sizes[slot]; i += 97)
                    not_zero += blocks[slot][i] != 0;
            } else {
                blocks[slot] = malloc(sizes[slot]);
            }
            unaligned += (uintptr_t)blocks[slot] % 16 != 0;
            mark(slot);
        } else if (next() % 3 == 0) {
            size_t old = sizes[slot], more = some_size() + 1;
            unsigned char *moved = realloc(blocks[slot], more);
            blocks[slot] = moved;
            wrong += !intact(slot, old < more ? old : more, old);
            sizes[slot] = more;
            mark(slot);
        } else {
            wrong += !intact(slot, sizes[slot], sizes[slot]);
            free(blocks[slot]);
            blocks[slot] = NULL;
        }
    }
    int live = 0;
    for (int i = 0; i < SLOTS; i++) {
        for (int j = 0; j < i; j++)
            if (blocks[i] && blocks[j] && blocks[i] < blocks[j] + sizes[j] && blocks[j] < blocks[i] + sizes[i])
                printf("blocks %d and %d overlap\n", i, j);
        live += blocks[i] != NULL;
        free(blocks[i]);
    }
    printf("wrong %d, unaligned %d, not zero %d, live at the end %d\n", wrong, unaligned, not_zero, live);

    for (size_t alignment = 16; alignment <= 8192; alignment *= 2) {
        void *p = aligned_alloc(alignment, 3 * alignment), *q = NULL;
        int result = posix_memalign(&q, alignment, 100);
        if ((uintptr_t)p % alignment || (uintptr_t)q % alignment || result)
            printf("alignment %zu not kept\n", alignment);
        free(p);
        free(q);
    }
    void *p = NULL;
    printf("bad alignment: %s\n", posix_memalign(&p, 3, 10) == EINVAL ? "EINVAL" : "taken");
    errno = 0;
    volatile size_t huge = (size_t)-1 - 5000;
    void *volatile kept = p = malloc(huge);
    printf("huge: %s, %s\n", p ? "given" : "NULL", errno == ENOMEM ? "ENOMEM" : "other");
    errno = 0;
    kept = p = calloc(huge / 2, 4);
    printf("overflow: %s, %s\n", p ? "given" : "NULL", errno == ENOMEM ? "ENOMEM" : "other");
    kept = p = reallocarray(NULL, 10, 10);
    printf("reallocarray: %s\n", p ? "given" : "NULL");
    free(kept);
    free(NULL);
    char *text = strdup("copied");
    printf("%s %s\n", text, strndup("cut short", 3));
    free(text);
    return 0;
}
