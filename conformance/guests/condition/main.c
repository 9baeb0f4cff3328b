/* Condition variables: a bounded queue between producers and consumers, a broadcast, waits that time out. */
#include "../names.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define ROOM 3
#define ITEMS 30

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static int queue[ROOM], used, first, overfull;

static void put(int item)
{
    pthread_mutex_lock(&mutex);
    while (used == ROOM)
        pthread_cond_wait(&not_full, &mutex);
    queue[(first + used++) % ROOM] = item;
    if (used > ROOM)
        overfull++;
    pthread_cond_signal(&not_empty);
    pthread_mutex_unlock(&mutex);
}

static int get(void)
{
    pthread_mutex_lock(&mutex);
    while (used == 0)
        pthread_cond_wait(&not_empty, &mutex);
    int item = queue[first];
    first = (first + 1) % ROOM;
    used--;
    pthread_cond_signal(&not_full);
    pthread_mutex_unlock(&mutex);
    return item;
}

static void *produce(void *argument)
{
    int from = (int)(intptr_t)argument;
    for (int i = 0; i < ITEMS; i++)
        put(from + i);
    return NULL;
}

static void *consume(void *argument)
{
    int sum = 0, item;
    (void)argument;
    while ((item = get()) >= 0)
        sum += item;
    return (void *)(intptr_t)sum;
}

static int gate_open, through;
static pthread_cond_t gate = PTHREAD_COND_INITIALIZER;

static void *wait_at_gate(void *argument)
{
    pthread_mutex_lock(&mutex);
    while (!gate_open)
        pthread_cond_wait(&gate, &mutex);
    through++;
    pthread_mutex_unlock(&mutex);
    return argument;
}

static int turn;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static char order[32];

static void *take_turns(void *argument)
{
    int me = (int)(intptr_t)argument;
    for (int round = 0; round < 3; round++) {
        pthread_mutex_lock(&mutex);
        while (turn % 3 != me)
            pthread_cond_wait(&turned, &mutex);
        order[turn++] = 'a' + me;
        pthread_cond_broadcast(&turned);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

int main(void)
{
    pthread_t producers[2], consumers[2], others[3];
    int sum = 0;
    for (intptr_t i = 0; i < 2; i++) {
        pthread_create(&producers[i], NULL, produce, (void *)(i * 1000));
        pthread_create(&consumers[i], NULL, consume, NULL);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(producers[i], NULL);
    put(-1);
    put(-1);
    for (int i = 0; i < 2; i++) {
        void *result;
        pthread_join(consumers[i], &result);
        sum += (int)(intptr_t)result;
    }
    printf("sum %d, left %d, overfull %d\n", sum, used, overfull);

    for (int i = 0; i < 3; i++)
        pthread_create(&others[i], NULL, wait_at_gate, NULL);
    pthread_mutex_lock(&mutex);
    gate_open = 1;
    pthread_cond_broadcast(&gate);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 3; i++)
        pthread_join(others[i], NULL);
    printf("through the gate %d\n", through);

    for (intptr_t i = 0; i < 3; i++)
        pthread_create(&others[i], NULL, take_turns, (void *)i);
    for (int i = 0; i < 3; i++)
        pthread_join(others[i], NULL);
    printf("order %s\n", order);

    struct timespec limit, now;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_nsec += 20000000;
    if (limit.tv_nsec >= 1000000000) {
        limit.tv_sec++;
        limit.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&mutex);
    int result = pthread_cond_timedwait(&gate, &mutex, &limit);
    clock_gettime(CLOCK_REALTIME, &now);
    int waited = now.tv_sec > limit.tv_sec || (now.tv_sec == limit.tv_sec && now.tv_nsec >= limit.tv_nsec);
    printf("timed out: %s, waited %d, still held: %s\n", name_of(result), waited, name_of(pthread_mutex_trylock(&mutex)));
    limit.tv_nsec = -1;
    printf("bad time: %s\n", name_of(pthread_cond_timedwait(&gate, &mutex, &limit)));
    pthread_mutex_unlock(&mutex);

    pthread_condattr_t attributes;
    pthread_cond_t monotonic;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&monotonic, &attributes);
    clock_gettime(CLOCK_MONOTONIC, &limit);
    pthread_mutex_lock(&mutex);
    printf("monotonic: %s\n", name_of(pthread_cond_timedwait(&monotonic, &mutex, &limit)));
    pthread_mutex_unlock(&mutex);
    return 0;
}
