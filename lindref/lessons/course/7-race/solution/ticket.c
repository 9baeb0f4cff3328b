/* Two clerks sell the last ticket. Only one of them may: looking and taking are one step. */
#include <pthread.h>
#include <stdio.h>

static int tickets = 1, sold;
static pthread_mutex_t counter = PTHREAD_MUTEX_INITIALIZER;

static void *clerk(void *unused)
{
    pthread_mutex_lock(&counter);
    if (tickets > 0) {
        tickets = tickets - 1;
        sold = sold + 1;
    }
    pthread_mutex_unlock(&counter);
    return unused;
}

int main(void)
{
    pthread_t other;
    pthread_create(&other, NULL, clerk, NULL);
    clerk(NULL);
    pthread_join(other, NULL);
    printf("sold %d\n", sold);
    return 0;
}
