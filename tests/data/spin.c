/* Waits for another thread by looking again and again. */
#include <pthread.h>
#include <stdio.h>
static volatile int flag;
static void *set(void *unused)
{
    flag = 1;
    return unused;
}
int main(void)
{
    pthread_t thread;
    pthread_create(&thread, 0, set, 0);
    while (!flag)
        continue;
    puts("seen");
    return 0;
}
