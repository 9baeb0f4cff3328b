/* Thread-specific data with destructors, initialisation that happens once, clean-up handlers and cancellation. */
#include "../names.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>

static pthread_key_t key, second;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int initialised, destroyed, rounds;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void destroy(void *value)
{
    __atomic_fetch_add(&destroyed, *(int *)value, __ATOMIC_SEQ_CST);
    free(value);
}

/* Sets its own key again: destructors run in rounds. */
static void stubborn(void *value)
{
    if (__atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST) < 3)
        pthread_setspecific(second, value);
}

static void initialise(void)
{
    initialised++;
}

static void *work(void *argument)
{
    int *value = malloc(sizeof *value);
    *value = (int)(intptr_t)argument;
    pthread_once(&once, initialise);
    if (pthread_getspecific(key))
        return (void *)-1;
    pthread_setspecific(key, value);
    for (int i = 0; i < 20; i++)
        if (pthread_getspecific(key) != value)
            return (void *)-2;
    return NULL;
}

static void *use_second(void *argument)
{
    pthread_setspecific(second, argument);
    return NULL;
}

static char cleaned[16];

static void clean(void *what)
{
    strcat(cleaned, what);
}

static void *exits_inside(void *argument)
{
    pthread_cleanup_push(clean, "a");
    pthread_cleanup_push(clean, "b");
    pthread_cleanup_push(clean, "c");
    pthread_cleanup_pop(0);
    if (argument)
        pthread_exit("left");
    pthread_cleanup_pop(1);
    pthread_cleanup_pop(1);
    return "returned";
}

static void unlock(void *it)
{
    pthread_mutex_unlock(it);
    strcat(cleaned, "u");
}

static sem_t ready;

static void *waits_for_ever(void *argument)
{
    (void)argument;
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock, &mutex);
    sem_post(&ready);
    for (;;)
        pthread_cond_wait(&never, &mutex);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *not_now(void *argument)
{
    int old;
    (void)argument;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    sem_post(&ready);
    pthread_testcancel();
    for (int i = 0; i < 5; i++)
        sched_yield();
    pthread_testcancel();
    return "not cancelled";
}

int main(void)
{
    pthread_t threads[4];
    void *result;
    int failed = 0;
    pthread_key_create(&key, destroy);
    pthread_key_create(&second, stubborn);
    for (intptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &result);
        failed += result != NULL;
    }
    printf("failed %d, initialised %d, destroyed %d, here %s\n", failed, initialised, destroyed,
           pthread_getspecific(key) ? "a value" : "NULL");
    pthread_create(&threads[0], NULL, use_second, &failed);
    pthread_join(threads[0], NULL);
    printf("rounds of destructors %d\n", rounds);
    printf("delete %d\n", pthread_key_delete(key));
    printf("again %s\n", name_of(pthread_key_delete(key)));
    printf("set deleted: %s\n", name_of(pthread_setspecific(key, "x")));

    for (intptr_t i = 0; i < 2; i++) {
        cleaned[0] = 0;
        pthread_create(&threads[0], NULL, exits_inside, (void *)i);
        pthread_join(threads[0], &result);
        printf("%s, cleaned %s\n", (char *)result, cleaned);
    }

    cleaned[0] = 0;
    sem_init(&ready, 0, 0);
    pthread_create(&threads[0], NULL, waits_for_ever, NULL);
    sem_wait(&ready);
    printf("cancel %d\n", pthread_cancel(threads[0]));
    pthread_join(threads[0], &result);
    printf("cancelled %d, cleaned %s, mutex free %d\n", result == PTHREAD_CANCELED, cleaned,
           pthread_mutex_trylock(&mutex) == 0);
    pthread_create(&threads[0], NULL, not_now, NULL);
    sem_wait(&ready);
    pthread_cancel(threads[0]);
    pthread_join(threads[0], &result);
    printf("%s\n", (char *)result);
    return 0;
}
