/* Two tellers pay 100 into one account at the same time. */
#include <pthread.h>
#include <stdio.h>

static int account;

static void pay(int amount)
{
    int balance = account;
    account = balance + amount;
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
