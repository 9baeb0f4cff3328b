/* Many threads: their own stacks and variables, threads that make threads, and far more than live at once. */
#include "../names.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local int own = 5;
static _Thread_local char buffer[32] = "fresh";
static atomic_int alive, most, wrong;

static void *on_stack(void *argument)
{
    int number = (int)(intptr_t)argument;
    char space[2000];
    memset(space, number, sizeof space);
    own += number;
    if (strcmp(buffer, "fresh"))
        atomic_fetch_add(&wrong, 1);
    snprintf(buffer, sizeof buffer, "thread %d", number);
    sched_yield();
    for (size_t i = 0; i < sizeof space; i += 100)
        if (space[i] != (char)number)
            atomic_fetch_add(&wrong, 1);
    char expected[32];
    snprintf(expected, sizeof expected, "thread %d", number);
    if (own != 5 + number || strcmp(buffer, expected))
        atomic_fetch_add(&wrong, 1);
    return (void *)(intptr_t)own;
}

static void *tree(void *argument)
{
    int depth = (int)(intptr_t)argument;
    int now = atomic_fetch_add(&alive, 1) + 1, seen = atomic_load(&most);
    while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
        ;
    intptr_t total = 1;
    if (depth) {
        pthread_t children[2];
        void *result;
        for (int i = 0; i < 2; i++)
            if (pthread_create(&children[i], NULL, tree, (void *)(intptr_t)(depth - 1)))
                abort();
        for (int i = 0; i < 2; i++) {
            pthread_join(children[i], &result);
            total += (intptr_t)result;
        }
    }
    atomic_fetch_sub(&alive, 1);
    return (void *)total;
}

int main(void)
{
    enum { COUNT = 20 };
    pthread_t threads[COUNT];
    void *result;
    int sum = 0;
    for (intptr_t i = 0; i < COUNT; i++)
        if (pthread_create(&threads[i], NULL, on_stack, (void *)i))
            return 1;
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], &result);
        sum += (int)(intptr_t)result;
    }
    printf("sum %d, wrong %d, mine %d %s\n", sum, wrong, own, buffer);
    printf("tree of %d\n", (int)(intptr_t)tree((void *)3));
    printf("none left %d\n", alive);
    for (int i = 0; i < 30; i++) {
        pthread_create(&threads[0], NULL, on_stack, (void *)(intptr_t)i);
        pthread_join(threads[0], &result);
        sum += (int)(intptr_t)result;
    }
    printf("sum %d, wrong %d\n", sum, wrong);
    return 0;
}
