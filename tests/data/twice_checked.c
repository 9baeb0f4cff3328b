/* A double-checked lock that says "ready" before it is: who looks without the lock may find nothing. */
#include <pthread.h>
#include <stdio.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int ready, value, seen;
static int get(void)
{
    if (!ready) {
        pthread_mutex_lock(&lock);
        if (!ready) {
            ready = 1;
            value = 42;
        }
        pthread_mutex_unlock(&lock);
    }
    return value;
}
static void *look(void *unused)
{
    seen = get();
    return unused;
}
int main(void)
{
    pthread_t thread;
    pthread_create(&thread, 0, look, 0);
    int mine = get();
    pthread_join(thread, 0);
    printf("%d %d\n", mine, seen);
    return 0;
}
