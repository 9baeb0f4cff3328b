/* Waits by looking again and again for a flag that the other thread may set and take back before it is seen. */
#include <pthread.h>
#include <stdio.h>
static volatile int flag;
static void *blink(void *unused)
{
    flag = 1;
    flag = 0;
    return unused;
}
int main(void)
{
    pthread_t thread;
    pthread_create(&thread, 0, blink, 0);
    while (!flag)
        continue;
    puts("seen");
    return 0;
}
