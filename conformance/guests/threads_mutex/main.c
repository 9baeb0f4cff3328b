/* Threads that share a counter under a mutex, kinds of mutexes, detached threads, results. */
#include "../names.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS 50

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int counter, inside, together;
static _Thread_local int mine = 7;

static void *count(void *argument)
{
    int number = (int)(intptr_t)argument;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        if (++inside != 1)
            together++;
        int seen = counter;
        if (i % 8 == number)
            sched_yield();
        counter = seen + 1;
        inside--;
        pthread_mutex_unlock(&mutex);
        mine += number;
    }
    return (void *)(intptr_t)mine;
}

static void *leave(void *argument)
{
    pthread_exit((char *)argument + 1);
}

static void *lock_other(void *argument)
{
    int *results = argument;
    results[0] = pthread_mutex_trylock(&mutex);
    return NULL;
}

static volatile int detached_done;

static void *detached(void *argument)
{
    pthread_detach(pthread_self());
    __atomic_store_n(&detached_done, 1, __ATOMIC_SEQ_CST);
    return argument;
}

static void *try_errors(void *argument)
{
    pthread_mutex_t *errors = argument;
    printf("not mine: %s\n", name_of(pthread_mutex_unlock(errors)));
    printf("busy: %s\n", name_of(pthread_mutex_trylock(errors)));
    return NULL;
}

static void *errno_is_mine(void *argument)
{
    (void)argument;
    errno = 0;
    close(-1);
    return (void *)(intptr_t)errno;
}

int main(void)
{
    pthread_t threads[THREADS];
    void *result;
    for (intptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, count, (void *)i))
            return 1;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &result);
        printf("thread %d returned %d\n", i, (int)(intptr_t)result);
    }
    printf("counter %d, together %d, mine %d\n", counter, together, mine);

    char base[2];
    pthread_create(&threads[0], NULL, leave, base);
    pthread_join(threads[0], &result);
    printf("pthread_exit: %d\n", result == base + 1);

    int results[2] = {-1, -1};
    pthread_mutex_lock(&mutex);
    pthread_create(&threads[0], NULL, lock_other, results);
    pthread_join(threads[0], NULL);
    printf("trylock of a held mutex: %s\n", name_of(results[0]));
    pthread_mutex_unlock(&mutex);

    pthread_create(&threads[0], NULL, detached, NULL);
    while (!__atomic_load_n(&detached_done, __ATOMIC_SEQ_CST))
        usleep(1000);
    printf("detached ran\n");

    pthread_mutexattr_t attributes;
    pthread_mutex_t nested, errors;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&nested, &attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&errors, &attributes);
    printf("recursive: %d %d %d\n", pthread_mutex_lock(&nested), pthread_mutex_lock(&nested),
           pthread_mutex_trylock(&nested));
    for (int i = 0; i < 3; i++)
        pthread_mutex_unlock(&nested);
    printf("one more: %s\n", name_of(pthread_mutex_unlock(&nested)));
    printf("errorcheck: %d\n", pthread_mutex_lock(&errors));
    printf("again: %s\n", name_of(pthread_mutex_lock(&errors)));
    pthread_create(&threads[0], NULL, try_errors, &errors);
    pthread_join(threads[0], NULL);
    struct timespec past = {1, 0};
    pthread_mutex_lock(&mutex);
    printf("timedlock: %s\n", name_of(pthread_mutex_timedlock(&mutex, &past)));
    pthread_mutex_unlock(&mutex);

    errno = 1;
    pthread_create(&threads[0], NULL, errno_is_mine, NULL);
    pthread_join(threads[0], &result);
    printf("errno there %s, here %s\n", name_of((int)(intptr_t)result), name_of(errno));
    printf("join myself: %s\n", name_of(pthread_join(pthread_self(), NULL)));
    pthread_attr_t attr;
    int state;
    size_t size;
    pthread_attr_init(&attr);
    pthread_attr_getdetachstate(&attr, &state);
    printf("joinable %d\n", state == PTHREAD_CREATE_JOINABLE);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    pthread_attr_getstacksize(&attr, &size);
    printf("stack %zu, too small: %s\n", size, name_of(pthread_attr_setstacksize(&attr, 1)));
    pthread_create(&threads[0], &attr, count, NULL);
    pthread_join(threads[0], &result);
    printf("%d\n", (int)(intptr_t)result);
    return 0;
}
