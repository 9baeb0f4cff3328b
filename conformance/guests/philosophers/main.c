/* Dining philosophers: with an order of the forks nobody starves and no two neighbours eat at once. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#define SEATS 5
#define MEALS 6

static pthread_mutex_t forks[SEATS];
static int eating[SEATS], meals[SEATS], clashes;

static void *dine(void *argument)
{
    int me = (int)(intptr_t)argument, left = me, right = (me + 1) % SEATS;
    pthread_mutex_t *first = &forks[left < right ? left : right], *second = &forks[left < right ? right : left];
    for (int i = 0; i < MEALS; i++) {
        pthread_mutex_lock(first);
        sched_yield();
        pthread_mutex_lock(second);
        __atomic_store_n(&eating[me], 1, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&eating[(me + 1) % SEATS], __ATOMIC_SEQ_CST) ||
            __atomic_load_n(&eating[(me + SEATS - 1) % SEATS], __ATOMIC_SEQ_CST))
            __atomic_fetch_add(&clashes, 1, __ATOMIC_SEQ_CST);
        meals[me]++;
        sched_yield();
        __atomic_store_n(&eating[me], 0, __ATOMIC_SEQ_CST);
        pthread_mutex_unlock(second);
        pthread_mutex_unlock(first);
    }
    return NULL;
}

int main(void)
{
    pthread_t guests[SEATS];
    for (int i = 0; i < SEATS; i++)
        pthread_mutex_init(&forks[i], NULL);
    for (intptr_t i = 0; i < SEATS; i++)
        pthread_create(&guests[i], NULL, dine, (void *)i);
    for (int i = 0; i < SEATS; i++)
        pthread_join(guests[i], NULL);
    for (int i = 0; i < SEATS; i++)
        printf("%d ", meals[i]);
    printf("meals, %d clashes\n", clashes);
    return 0;
}
