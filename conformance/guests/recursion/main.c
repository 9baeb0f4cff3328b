/* Recursion: small functions that call themselves, mutual and through pointers, and a deep one. */
#include <stdio.h>
#include <stdlib.h>

static unsigned ackermann(unsigned m, unsigned n)
{
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static int fibonacci(int n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static int moves;

static void hanoi(int discs, char from, char to, char over)
{
    if (!discs)
        return;
    hanoi(discs - 1, from, over, to);
    if (++moves <= 7)
        printf("%c to %c\n", from, to);
    hanoi(discs - 1, over, to, from);
}

static int is_odd(int n);

static int is_even(int n)
{
    return n == 0 ? 1 : is_odd(n - 1);
}

static int is_odd(int n)
{
    return n == 0 ? 0 : is_even(n - 1);
}

/* Not a tail call: every frame is needed. */
static unsigned __attribute__((noinline)) deep(unsigned n)
{
    volatile unsigned kept = n;
    return n ? deep(n - 1) + (kept & 1) : 0;
}

struct node {
    int key;
    struct node *left, *right;
};

static struct node *insert(struct node *tree, int key)
{
    if (!tree) {
        tree = calloc(1, sizeof *tree);
        tree->key = key;
    } else if (key < tree->key) {
        tree->left = insert(tree->left, key);
    } else if (key > tree->key) {
        tree->right = insert(tree->right, key);
    }
    return tree;
}

static int walk(const struct node *tree, int depth, int *deepest)
{
    if (!tree)
        return 0;
    if (depth > *deepest)
        *deepest = depth;
    int left = walk(tree->left, depth + 1, deepest);
    printf("%d ", tree->key);
    return left + 1 + walk(tree->right, depth + 1, deepest);
}

static int queens(int n, int row, unsigned columns, unsigned down, unsigned up)
{
    if (row == n)
        return 1;
    int found = 0;
    for (int c = 0; c < n; c++) {
        unsigned column = 1u << c, d = 1u << (row + c), u = 1u << (row - c + n);
        if (!(columns & column) && !(down & d) && !(up & u))
            found += queens(n, row + 1, columns | column, down | d, up | u);
    }
    return found;
}

int main(void)
{
    int (*through)(int) = fibonacci;
    printf("ackermann %u %u\n", ackermann(2, 3), ackermann(1, 9));
    printf("fibonacci %d %d\n", fibonacci(16), through(10));
    hanoi(3, 'A', 'C', 'B');
    hanoi(6, 'A', 'C', 'B');
    printf("%d moves\n", moves);
    printf("%d is %s\n", 1001, is_even(1001) ? "even" : "odd");
    printf("deep %u\n", deep(10000));
    struct node *tree = NULL;
    unsigned x = 7;
    for (int i = 0; i < 25; i++)
        tree = insert(tree, (x = x * 31 + 11) % 97);
    int deepest = 0, nodes = walk(tree, 1, &deepest);
    printf("\n%d nodes, depth %d\n", nodes, deepest);
    printf("%d ways to place 6 queens\n", queens(6, 0, 0, 0, 0));
    return 0;
}
