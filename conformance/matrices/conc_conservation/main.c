/* CONC-004: whatever threads and cages dup and close, in the end exactly what was open is open. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, ROUNDS = 8 };

static int count(void)
{
    int open_ = 0;
    for (int fd = 0; fd < 64; fd++)
        open_ += fcntl(fd, F_GETFD) >= 0;
    return open_;
}

static void *churn(void *given)
{
    long failed = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int one = dup(*(int *)given), two = dup(one);
        failed += one < 0 || two < 0 || one == two;
        failed += close(one) != 0;
        failed += write(two, "", 0) != 0;
        failed += close(two) != 0;
    }
    return (void *)failed;
}

int main(void)
{
    int fd = open("tmp/f", O_RDWR | O_CREAT, 0600), before = count();
    pthread_t threads[THREADS];
    long failed = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, churn, &fd);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        failed += (long)result;
    }
    if (fork() == 0) {
        churn(&fd);
        close(fd);
        _exit(count() == before - 1 ? 0 : 1);
    }
    int status;
    wait(&status);
    printf("failed %ld, as many as before %d, in the child %d\n", failed, count() == before, WEXITSTATUS(status));
    return 0;
}
