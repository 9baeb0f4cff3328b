/* A hash table that grows, with deletion; lists that are reversed, sorted by merging and freed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    char *key;
    int value;
    struct entry *next;
};

static struct entry **table;
static size_t buckets, used, moves;

static size_t hash(const char *key)
{
    uint64_t h = 14695981039346656037ULL;
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 1099511628211ULL;
    return (size_t)(h ^ h >> 32);
}

static struct entry **find(const char *key)
{
    struct entry **at = &table[hash(key) % buckets];
    while (*at && strcmp((*at)->key, key))
        at = &(*at)->next;
    return at;
}

static void grow(void)
{
    size_t more = buckets ? 2 * buckets : 4;
    struct entry **old = table;
    size_t count = buckets;
    table = calloc(more, sizeof *table);
    buckets = more;
    for (size_t i = 0; i < count; i++) {
        for (struct entry *e = old[i], *next; e; e = next, moves++) {
            next = e->next;
            e->next = table[hash(e->key) % buckets];
            table[hash(e->key) % buckets] = e;
        }
    }
    free(old);
}

static void put(const char *key, int value)
{
    if (used >= buckets)
        grow();
    struct entry **at = find(key);
    if (!*at) {
        *at = calloc(1, sizeof **at);
        (*at)->key = strdup(key);
        used++;
    }
    (*at)->value = value;
}

static int drop(const char *key)
{
    struct entry **at = find(key), *gone = *at;
    if (!gone)
        return 0;
    *at = gone->next;
    free(gone->key);
    free(gone);
    used--;
    return 1;
}

struct node {
    int value;
    struct node *next;
};

static struct node *merge(struct node *a, struct node *b)
{
    struct node head, *tail = &head;
    while (a && b) {
        struct node **least = a->value <= b->value ? &a : &b;
        tail = tail->next = *least;
        *least = (*least)->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static struct node *sort(struct node *list)
{
    if (!list || !list->next)
        return list;
    struct node *slow = list, *fast = list->next;
    while (fast && fast->next) {
        slow = slow->next;
        fast = fast->next->next;
    }
    struct node *half = slow->next;
    slow->next = NULL;
    return merge(sort(list), sort(half));
}

int main(void)
{
    char key[24];
    grow();
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "key-%d", i * 7 % 300);
        put(key, i);
    }
    for (int i = 0; i < 300; i += 3) {
        snprintf(key, sizeof key, "key-%d", i);
        if (!drop(key) || drop(key))
            printf("%s\n", key);
    }
    long sum = 0;
    int found = 0;
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        struct entry *e = *find(key);
        found += e != NULL;
        sum += e ? e->value : 0;
    }
    printf("%zu used, %d found, sum %ld, buckets %zu, moves %zu\n", used, found, sum, buckets, moves);

    struct node *list = NULL;
    unsigned x = 1;
    for (int i = 0; i < 100; i++) {
        struct node *n = malloc(sizeof *n);
        x = x * 1664525 + 1013904223;
        *n = (struct node){(int)(x >> 16) % 1000, list};
        list = n;
    }
    list = sort(list);
    int ordered = 1, count = 0;
    for (struct node *n = list; n; n = n->next, count++)
        ordered &= !n->next || n->value <= n->next->value;
    printf("%d in order %d, from %d", count, ordered, list->value);
    struct node *back = NULL;
    while (list) {
        struct node *next = list->next;
        list->next = back;
        back = list;
        list = next;
    }
    printf(" to %d\n", back->value);
    while (back) {
        struct node *next = back->next;
        free(back);
        back = next;
    }
    return 0;
}
