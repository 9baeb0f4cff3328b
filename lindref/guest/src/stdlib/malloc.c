/* Memory: blocks with a header on each side's knowledge, free lists by size, neighbours joined at once.
 *
 * Memory comes from brk in steps; very big blocks have a mapping of their own. A block is 16-byte aligned and its
 * header lies in the 8 bytes before it:
 *
 *     before   size of the block that lies directly below (so that free can join with it)
 *     size     size of this block with its header, a multiple of 16; the low bits are the flags
 *
 * A stretch of memory from brk ends with a header of size 0 that counts as used. */
#include "../internal.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct block {
    uint32_t before;
    uint32_t size;
    struct block *next, *previous; /* only in free blocks: the list they are in */
};

#define USED 1u
#define MAPPED 2u              /* a mapping of its own; `before` is then the offset of the header in it */
#define FLAGS 15u
#define HEADER 8u
#define BIG (128u * 1024)      /* from this size on a block is mapped */
#define STEP (64u * 1024)      /* how much is asked of brk at least */
#define EXACT 64u              /* free lists for sizes 16, 32, … 16 * (EXACT - 1); above, one for each power of two */

static struct block *lists[EXACT + 22];
static char *stretch_end;      /* where the newest stretch ends: if brk goes on from there, it grows */
static volatile int lock;

static uint32_t size_of(const struct block *b) { return b->size & ~FLAGS; }
static struct block *above(struct block *b) { return (struct block *)((char *)b + size_of(b)); }
static struct block *below(struct block *b) { return (struct block *)((char *)b - b->before); }
static struct block *block_of(void *memory) { return (struct block *)((char *)memory - HEADER); }
static void *memory_of(struct block *b) { return (char *)b + HEADER; }

static unsigned list_for(uint32_t size)
{
    return size < 16 * EXACT ? size / 16 : EXACT + 21 - __builtin_clz(size);
}

static void take(struct block *b)
{
    if (b->previous)
        b->previous->next = b->next;
    else
        lists[list_for(size_of(b))] = b->next;
    if (b->next)
        b->next->previous = b->previous;
}

static void put(struct block *b, uint32_t size)
{
    struct block **list = &lists[list_for(size)];
    b->size = size;
    b->previous = 0;
    b->next = *list;
    if (b->next)
        b->next->previous = b;
    *list = b;
    above(b)->before = size;
}

/* Give a used block back: joined with its free neighbours. */
static void release(struct block *b)
{
    uint32_t size = size_of(b);
    struct block *up = above(b);
    if (!(up->size & USED)) {
        take(up);
        size += size_of(up);
    }
    if (b->before && !(below(b)->size & USED)) {
        b = below(b);
        take(b);
        size += size_of(b);
    }
    put(b, size);
}

/* Mark a block (in no list) as used with `size` bytes, and give what is left over back. */
static void cut(struct block *b, uint32_t size)
{
    uint32_t rest = size_of(b) - size;
    if (rest < 16) {
        b->size |= USED;
        return;
    }
    b->size = size | USED;
    struct block *left = above(b);
    left->before = size;
    left->size = rest | USED;
    above(left)->before = rest;
    release(left);
}

static int grow(uint32_t size)
{
    uint32_t wanted = (size + 2 * 16 + STEP - 1) & ~(STEP - 1);
    char *start = sbrk(wanted);
    if (start == (char *)-1) {
        start = mmap(0, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start == MAP_FAILED)
            return 0;
    }
    char *end = start + wanted;
    struct block *b;
    if (start == stretch_end) { /* the closing header of the old stretch becomes the new block's */
        b = (struct block *)(start - HEADER);
    } else {
        b = (struct block *)(((uintptr_t)start + 15 & -16) + 8);
        b->before = 0;
    }
    struct block *close = (struct block *)(((uintptr_t)end & -16) - HEADER);
    b->size = (uint32_t)((char *)close - (char *)b) | USED;
    close->before = size_of(b);
    close->size = USED;
    stretch_end = (char *)close + HEADER == end ? end : 0;
    release(b);
    return 1;
}

static struct block *find(uint32_t size)
{
    unsigned index = list_for(size);
    if (index >= EXACT)
        for (struct block *b = lists[index]; b; b = b->next)
            if (size_of(b) >= size)
                return b;
    for (index += index >= EXACT; index < LENGTH(lists); index++)
        if (lists[index])
            return lists[index];
    return 0;
}

static uint32_t needed(size_t size)
{
    return size <= 8 ? 16 : (size + HEADER + 15) & -16;
}

static void *map_big(size_t size, size_t alignment)
{
    size_t total = (size + alignment + HEADER + 4095) & -4096;
    char *start = total < size ? MAP_FAILED
                               : mmap(0, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) {
        errno = ENOMEM;
        return 0;
    }
    char *memory = (char *)(((uintptr_t)start + HEADER + alignment - 1) & -alignment);
    struct block *b = block_of(memory);
    b->before = (char *)b - start;
    b->size = (total - b->before) & ~FLAGS | MAPPED | USED;
    return memory;
}

void *malloc(size_t size)
{
    if (size >= BIG)
        return map_big(size, 16);
    uint32_t wanted = needed(size);
    __lind_lock(&lock);
    struct block *b = find(wanted);
    if (!b && grow(wanted))
        b = find(wanted);
    if (b) {
        take(b);
        cut(b, wanted);
    }
    __lind_unlock(&lock);
    if (!b)
        errno = ENOMEM;
    return b ? memory_of(b) : 0;
}

void free(void *memory)
{
    if (!memory)
        return;
    struct block *b = block_of(memory);
    if (b->size & MAPPED) {
        int saved = errno;
        char *start = (char *)b - b->before;
        munmap(start, b->before + size_of(b) + 4095 & -4096);
        errno = saved;
        return;
    }
    __lind_lock(&lock);
    release(b);
    __lind_unlock(&lock);
}

size_t malloc_usable_size(void *memory)
{
    return memory ? size_of(block_of(memory)) - HEADER : 0;
}

void *calloc(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return 0;
    }
    void *memory = malloc(total);
    if (memory && total < BIG) /* a new mapping is zero already */
        memset(memory, 0, total);
    return memory;
}

void *realloc(void *memory, size_t size)
{
    if (!memory)
        return malloc(size);
    if (!size) {
        free(memory);
        return 0;
    }
    struct block *b = block_of(memory);
    size_t had = malloc_usable_size(memory);
    if (b->size & MAPPED) {
        if (size <= had && size >= had / 2)
            return memory;
    } else if (size < BIG) {
        uint32_t wanted = needed(size);
        __lind_lock(&lock);
        struct block *up = above(b);
        if (size_of(b) < wanted && !(up->size & USED) && size_of(b) + size_of(up) >= wanted) {
            take(up);
            b->size += size_of(up);
            above(b)->before = size_of(b);
        }
        int fits = size_of(b) >= wanted;
        if (fits)
            cut(b, wanted);
        __lind_unlock(&lock);
        if (fits)
            return memory;
    }
    void *other = malloc(size);
    if (other) {
        memcpy(other, memory, size < had ? size : had);
        free(memory);
    }
    return other;
}

void *reallocarray(void *memory, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return 0;
    }
    return realloc(memory, total);
}

void *memalign(size_t alignment, size_t size)
{
    if (alignment & (alignment - 1)) {
        errno = EINVAL;
        return 0;
    }
    if (alignment <= 16)
        return malloc(size);
    if (size + alignment >= BIG || size + alignment < size)
        return map_big(size, alignment);
    char *memory = malloc(size + alignment + 16);
    if (!memory)
        return 0;
    char *aligned = (char *)(((uintptr_t)memory + alignment - 1) & -alignment);
    __lind_lock(&lock);
    struct block *b = block_of(memory);
    if (aligned != memory) { /* cut the front off, and give it back */
        struct block *kept = block_of(aligned);
        uint32_t front = aligned - memory;
        kept->before = front;
        kept->size = (size_of(b) - front) | USED;
        above(kept)->before = size_of(kept);
        b->size = front | USED;
        release(b);
        b = kept;
    }
    cut(b, needed(size));
    __lind_unlock(&lock);
    return aligned;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (alignment < sizeof(void *) || alignment & (alignment - 1))
        return EINVAL;
    int saved = errno;
    void *result = memalign(alignment, size);
    errno = saved;
    if (!result)
        return ENOMEM;
    *memory = result;
    return 0;
}

void *valloc(size_t size)
{
    return memalign(4096, size);
}
