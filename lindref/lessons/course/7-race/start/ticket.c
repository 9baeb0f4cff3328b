/* Two clerks sell the last ticket. Only one of them may. */
#include <pthread.h>
#include <stdio.h>

static int tickets = 1, sold;

static void *clerk(void *unused)
{
    if (tickets > 0) {
        tickets = tickets - 1;
        __atomic_add_fetch(&sold, 1, __ATOMIC_SEQ_CST);
    }
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
