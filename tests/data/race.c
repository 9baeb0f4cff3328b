/* Two threads add one to a counter without a lock: 2, or 1 where one addition is lost. */
#include <pthread.h>
#include <stdio.h>
static volatile int counter;
static void *add(void *unused)
{
    counter = counter + 1;
    return unused;
}
int main(void)
{
    pthread_t thread;
    pthread_create(&thread, 0, add, 0);
    counter = counter + 1;
    pthread_join(thread, 0);
    printf("%d\n", counter);
    return 0;
}
