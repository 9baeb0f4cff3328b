/* Sorting and binary search.
 *
 * qsort merges, so that elements which compare equal keep their order (as the C library that most programs are
 * tested with does); without memory for that it falls back to a heap sort, which is not stable but needs none. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int comparison(const void *, const void *, void *);

static void merge_sort(char *base, size_t count, size_t size, comparison *compare, void *context, char *room)
{
    if (count < 2)
        return;
    size_t half = count / 2;
    char *left = base, *right = base + half * size, *end = base + count * size;
    merge_sort(left, half, size, compare, context, room);
    merge_sort(right, count - half, size, compare, context, room);
    if (compare(right - size, right, context) <= 0)
        return; /* in order already */
    memcpy(room, left, half * size);
    char *to = base, *waiting = room, *waiting_end = room + half * size;
    while (waiting < waiting_end && right < end) {
        char **smaller = compare(waiting, right, context) <= 0 ? &waiting : &right;
        memcpy(to, *smaller, size);
        *smaller += size;
        to += size;
    }
    memcpy(to, waiting, waiting_end - waiting);
}

static void swap(char *left, char *right, size_t size)
{
    for (; size; size--, left++, right++) {
        char byte = *left;
        *left = *right;
        *right = byte;
    }
}

static void heap_sort(char *base, size_t count, size_t size, comparison *compare, void *context)
{
    for (size_t start = count / 2, end = count; end > 1;) {
        if (start)
            start--;
        else
            swap(base, base + --end * size, size);
        for (size_t root = start, child; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && compare(base + child * size, base + (child + 1) * size, context) < 0)
                child++;
            if (compare(base + root * size, base + child * size, context) >= 0)
                break;
            swap(base + root * size, base + child * size, size);
        }
    }
}

void qsort_r(void *base, size_t count, size_t size, comparison *compare, void *context)
{
    char few[512], *room = few;
    if (count < 2 || !size)
        return;
    if (count / 2 > sizeof few / size)
        room = malloc(count / 2 * size);
    if (room)
        merge_sort(base, count, size, compare, context, room);
    else
        heap_sort(base, count, size, compare, context);
    if (room != few)
        free(room);
}

static int without_context(const void *left, const void *right, void *context)
{
    return (*(int (**)(const void *, const void *))context)(left, right);
}

void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    qsort_r(base, count, size, without_context, &compare);
}

void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *, const void *))
{
    const char *low = base;
    while (count) {
        const char *middle = low + count / 2 * size;
        int order = compare(key, middle);
        if (order == 0)
            return (void *)middle;
        if (order > 0) {
            low = middle + size;
            count--;
        }
        count /= 2;
    }
    return 0;
}
