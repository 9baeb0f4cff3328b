/* Two tellers pay 100 into one account, one after the other. */
#include <pthread.h>
#include <stdio.h>

static int account;
static pthread_mutex_t drawer = PTHREAD_MUTEX_INITIALIZER;

static void pay(int amount)
{
    pthread_mutex_lock(&drawer);
    int balance = account;
    account = balance + amount;
    pthread_mutex_unlock(&drawer);
}

static void *teller(void *unused)
{
    pay(100);
    return unused;
}

int main(void)
{
    pthread_t other;
    pthread_create(&other, NULL, teller, NULL);
    pay(100);
    pthread_join(other, NULL);
    printf("the account holds %d\n", account);
    return 0;
}
