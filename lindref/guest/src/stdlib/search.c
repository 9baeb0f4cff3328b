/* Trees, tables, lists and arrays that are searched. */
#include "../internal.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

typedef int (*comparison)(const void *, const void *);

/* The key is first: what callers get is a pointer to it. The tree is a treap: priorities keep it shallow. */
struct node {
    const void *key;
    struct node *left, *right;
    unsigned priority;
};

static unsigned next_priority(void)
{
    static unsigned state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    return state ^= state << 5;
}

static struct node *insert(struct node *tree, const void *key, comparison compare, struct node **found)
{
    if (!tree) {
        tree = malloc(sizeof *tree);
        if (tree)
            *tree = (struct node){key, 0, 0, next_priority()};
        return *found = tree;
    }
    int order = compare(key, tree->key);
    if (order == 0) {
        *found = tree;
        return tree;
    }
    struct node **side = order < 0 ? &tree->left : &tree->right;
    struct node *child = insert(*side, key, compare, found);
    *side = child;
    if (!child || child->priority <= tree->priority)
        return tree;
    if (order < 0) {
        tree->left = child->right;
        child->right = tree;
    } else {
        tree->right = child->left;
        child->left = tree;
    }
    return child;
}

void *tsearch(const void *key, void **root, comparison compare)
{
    struct node *found = 0;
    if (!root)
        return 0;
    *root = insert(*root, key, compare, &found);
    return found;
}

void *tfind(const void *key, void *const *root, comparison compare)
{
    struct node *at = root ? *root : 0;
    for (int order; at && (order = compare(key, at->key));)
        at = order < 0 ? at->left : at->right;
    return at;
}

static struct node *merge(struct node *left, struct node *right)
{
    if (!left || !right)
        return left ? left : right;
    if (left->priority > right->priority) {
        left->right = merge(left->right, right);
        return left;
    }
    right->left = merge(left, right->left);
    return right;
}

void *tdelete(const void *restrict key, void **restrict root, comparison compare)
{
    struct node **at = (struct node **)root;
    void *parent = root; /* of the root there is none, but the result has to be other than NULL */
    if (!root)
        return 0;
    for (int order; *at && (order = compare(key, (*at)->key));) {
        parent = *at;
        at = order < 0 ? &(*at)->left : &(*at)->right;
    }
    if (!*at)
        return 0;
    struct node *gone = *at;
    *at = merge(gone->left, gone->right);
    free(gone);
    return parent;
}

static void visit_all(const struct node *tree, void (*visit)(const void *, VISIT, int), int depth)
{
    if (!tree)
        return;
    if (!tree->left && !tree->right) {
        visit(tree, leaf, depth);
        return;
    }
    visit(tree, preorder, depth);
    visit_all(tree->left, visit, depth + 1);
    visit(tree, postorder, depth);
    visit_all(tree->right, visit, depth + 1);
    visit(tree, endorder, depth);
}

void twalk(const void *root, void (*visit)(const void *, VISIT, int))
{
    visit_all(root, visit, 0);
}

void tdestroy(void *root, void (*release)(void *))
{
    struct node *tree = root;
    if (!tree)
        return;
    tdestroy(tree->left, release);
    tdestroy(tree->right, release);
    release((void *)tree->key);
    free(tree);
}

void *lfind(const void *key, const void *base, size_t *count, size_t size, comparison compare)
{
    for (size_t i = 0; i < *count; i++)
        if (!compare(key, (const char *)base + i * size))
            return (char *)base + i * size;
    return 0;
}

void *lsearch(const void *key, void *base, size_t *count, size_t size, comparison compare)
{
    void *found = lfind(key, base, count, size, compare);
    return found ? found : memcpy((char *)base + size * (*count)++, key, size);
}

static ENTRY *table;
static size_t table_size, table_used;

int hcreate(size_t count)
{
    if (table)
        return 0;
    table_size = count + count / 2 + 3;
    table_used = 0;
    return (table = calloc(table_size, sizeof *table)) != 0;
}

void hdestroy(void)
{
    free(table);
    table = 0;
}

ENTRY *hsearch(ENTRY item, ACTION action)
{
    unsigned hash = 5381;
    for (const char *at = item.key; *at; at++)
        hash = hash * 33 + (unsigned char)*at;
    for (size_t i = 0; table && i < table_size; i++) {
        ENTRY *entry = &table[(hash + i) % table_size];
        if (entry->key && strcmp(entry->key, item.key))
            continue;
        if (entry->key)
            return entry;
        if (action == FIND)
            break;
        *entry = item;
        table_used++;
        return entry;
    }
    errno = action == FIND ? ESRCH : ENOMEM;
    return 0;
}

struct element {
    struct element *next, *previous;
};

void insque(void *element, void *previous)
{
    struct element *it = element, *before = previous;
    *it = (struct element){before ? before->next : 0, before};
    if (before) {
        if (before->next)
            before->next->previous = it;
        before->next = it;
    }
}

void remque(void *element)
{
    struct element *it = element;
    if (it->next)
        it->next->previous = it->previous;
    if (it->previous)
        it->previous->next = it->next;
}
