/* Two threads take from one stock; who looks and takes without a lock may find that the other has taken the last. */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
static volatile int stock = 1;
static void *take(void *unused)
{
    if (stock > 0) {
        int left = --stock;
        assert(left >= 0);
    }
    return unused;
}
int main(void)
{
    pthread_t thread;
    pthread_create(&thread, 0, take, 0);
    take(0);
    pthread_join(thread, 0);
    puts("sold");
    return 0;
}
