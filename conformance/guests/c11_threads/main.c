/* Threads and atomics of C11. */
#include <stdatomic.h>
#include <stdio.h>
#include <threads.h>
#include <time.h>

static mtx_t mutex;
static cnd_t changed;
static tss_t key;
static once_flag once = ONCE_FLAG_INIT;
static atomic_int counter, initialised, destroyed;
static atomic_flag spin = ATOMIC_FLAG_INIT;
static _Atomic(long long) wide;
static thread_local int own;
static int plain, stage;

static void initialise(void)
{
    atomic_fetch_add(&initialised, 1);
}

static void destroy(void *value)
{
    atomic_fetch_add(&destroyed, *(int *)value);
}

static int work(void *argument)
{
    int number = *(int *)argument;
    call_once(&once, initialise);
    tss_set(key, argument);
    for (int i = 0; i < 40; i++) {
        atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
        atomic_fetch_add(&wide, 1LL << 33);
        while (atomic_flag_test_and_set(&spin))
            thrd_yield();
        plain++;
        atomic_flag_clear(&spin);
        own++;
    }
    mtx_lock(&mutex);
    while (stage != number)
        cnd_wait(&changed, &mutex);
    stage++;
    cnd_broadcast(&changed);
    mtx_unlock(&mutex);
    return number * 10 + (own == 40);
}

static int leaves(void *argument)
{
    (void)argument;
    thrd_exit(77);
}

int main(void)
{
    thrd_t threads[3];
    int numbers[3] = {0, 1, 2}, result;
    mtx_init(&mutex, mtx_plain);
    cnd_init(&changed);
    tss_create(&key, destroy);
    for (int i = 0; i < 3; i++)
        if (thrd_create(&threads[i], work, &numbers[i]) != thrd_success)
            return 1;
    for (int i = 0; i < 3; i++) {
        thrd_join(threads[i], &result);
        printf("%d ", result);
    }
    printf("\n%d %lld %d %d, once %d, destroyed %d\n", counter, (long long)(wide >> 33), plain, stage, initialised, destroyed);
    thrd_create(&threads[0], leaves, NULL);
    thrd_join(threads[0], &result);
    printf("%d\n", result);
    mtx_lock(&mutex);
    printf("%d %d\n", mtx_trylock(&mutex) == thrd_busy, own);
    struct timespec limit = {1, 0};
    printf("%d\n", cnd_timedwait(&changed, &mutex, &limit) == thrd_timedout);
    mtx_unlock(&mutex);
    int expected = 5;
    printf("%d", atomic_compare_exchange_strong(&counter, &expected, 9));
    printf(" %d", expected);
    printf(" %d", atomic_compare_exchange_strong(&counter, &expected, 9));
    printf(" %d\n", atomic_load(&counter));
    return thrd_equal(thrd_current(), threads[0]);
}
