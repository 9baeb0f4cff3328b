/* search.h: trees, hash tables, linear search. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int order(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

static int last, visited, ordered = 1;

static void visit(const void *node, VISIT when, int depth)
{
    (void)depth;
    if (when != postorder && when != leaf)
        return;
    int key = **(int *const *)node;
    ordered &= key > last;
    last = key;
    visited++;
}

int main(void)
{
    static int keys[100];
    void *root = NULL;
    unsigned x = 1;
    for (int i = 0; i < 100; i++) {
        keys[i] = i * 37 % 100 + 1;
        int *found = *(int **)tsearch(&keys[i], &root, order);
        if (found != &keys[i])
            printf("not mine\n");
        x = x * 5 + 1;
    }
    int again = 50, missing = 1000;
    printf("%d %d\n", **(int **)tsearch(&again, &root, order), *(int **)tfind(&again, &root, order) != &again);
    printf("%d\n", tfind(&missing, &root, order) == NULL);
    twalk(root, visit);
    printf("visited %d in order %d\n", visited, ordered);
    for (int i = 0; i < 100; i += 2) {
        int key = i + 1;
        if (!tdelete(&key, &root, order))
            printf("no %d\n", key);
    }
    last = visited = 0;
    twalk(root, visit);
    printf("left %d in order %d, gone %d\n", visited, ordered, tdelete(&missing, &root, order) == NULL);

    hcreate(50);
    static char names[30][8];
    for (int i = 0; i < 30; i++) {
        sprintf(names[i], "n%d", i);
        hsearch((ENTRY){names[i], names[(i + 1) % 30]}, ENTER);
    }
    ENTRY *entry = hsearch((ENTRY){"n7", NULL}, FIND);
    printf("%s, %d\n", (char *)entry->data, hsearch((ENTRY){"zzz", NULL}, FIND) == NULL);
    hdestroy();

    int array[10] = {5, 3, 9};
    size_t count = 3;
    int key = 9, other = 4;
    printf("%d", (int)((int *)lfind(&key, array, &count, sizeof *array, order) - array));
    printf(" %d", lfind(&other, array, &count, sizeof *array, order) == NULL);
    lsearch(&other, array, &count, sizeof *array, order);
    printf(" %zu %d\n", count, array[3]);
    return 0;
}
