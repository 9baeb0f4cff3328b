/* Three philosophers, each taking the fork on the left first. */
#include <pthread.h>
#include <stdio.h>
static pthread_mutex_t forks[3] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static void *dine(void *arg)
{
    long me = (long)arg;
    pthread_mutex_lock(&forks[me]);
    pthread_mutex_lock(&forks[(me + 1) % 3]);
    pthread_mutex_unlock(&forks[(me + 1) % 3]);
    pthread_mutex_unlock(&forks[me]);
    return 0;
}
int main(void)
{
    pthread_t threads[2];
    for (long i = 0; i < 2; i++)
        pthread_create(&threads[i], 0, dine, (void *)(i + 1));
    dine(0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], 0);
    puts("fed");
    return 0;
}
