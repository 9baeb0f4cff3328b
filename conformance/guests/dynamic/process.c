/* Signals, jumps, threads, forks and exec in a program with a library: built static and dynamic, it shows the same. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern jmp_buf back;
void jump_back(int value);
int call_back(int (*function)(int), int n);
int count_own(void);

static sigjmp_buf out;
static volatile int got;

static int twice(int n)
{
    return 2 * n;
}

static void note(int number)
{
    got = number;
}

static void leave(int number)
{
    siglongjmp(out, number);
}

static void nest(int number)
{
    if (number == SIGUSR1) {
        raise(SIGUSR2);
        got += 100;
    } else {
        got = 7;
    }
}

static int status_of(int child)
{
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void forks(int number)
{
    (void)number;
    int child = fork();
    if (!child)
        _exit(9);
    got = status_of(child);
}

static void *counts(void *unused)
{
    (void)unused;
    int first = count_own(), second = count_own();
    usleep(1000);
    return (void *)(first * 100 + second);
}

static void bye(void)
{
    printf("bye\n");
}

static int run(const char *path, const char *variable)
{
    int child = fork();
    if (!child) {
        execve(path, (char *[]){(char *)path, "second", 0}, (char *[]){(char *)variable, 0});
        printf("%s: %s\n", path, strerror(errno));
        _exit(1);
    }
    return status_of(child);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, 0, _IONBF, 0);
    if (argc > 1) {
        printf("second: %s\n", getenv("WORD"));
        return 4;
    }
    atexit(bye);
    int value = setjmp(back);
    if (!value)
        jump_back(5);
    printf("jumped with %d, called back %d\n", value, call_back(twice, 21));

    signal(SIGUSR1, note);
    raise(SIGUSR1);
    printf("signal %d\n", got == SIGUSR1);
    signal(SIGUSR1, leave);
    if (!(value = sigsetjmp(out, 1)))
        raise(SIGUSR1);
    printf("left the handler %d\n", value == SIGUSR1);
    signal(SIGUSR1, nest);
    signal(SIGUSR2, nest);
    raise(SIGUSR1);
    printf("nested %d\n", got);
    signal(SIGUSR1, forks);
    raise(SIGUSR1);
    printf("forked in the handler %d\n", got);
    struct sigaction action = {.sa_handler = note};
    sigaction(SIGALRM, &action, 0);
    alarm(1);
    int ends[2];
    char byte;
    if (pipe(ends) || read(ends[0], &byte, 1) != -1)
        return 1;
    printf("interrupted: %s\n", strerror(errno));

    pthread_t thread[3];
    printf("own %d\n", count_own());
    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], 0, counts, 0);
    for (int i = 0; i < 3; i++) {
        void *result;
        pthread_join(thread[i], &result);
        printf("thread %d\n", (int)result);
    }
    printf("own %d\n", count_own());

    printf("exec %d\n", run(argv[0], "WORD=again"));
    printf("script %d\n", run("./script", "WORD=script"));
    printf("broken %d\n", run("./nonsense", "WORD=broken"));
    int child = fork();
    if (!child) {
        pthread_create(thread, 0, counts, 0);
        exit(6);
    }
    printf("exit beside a thread %d\n", status_of(child));
    child = fork();
    if (!child) {
        pthread_create(thread, 0, counts, 0);
        execve(argv[0], (char *[]){argv[0], "second", 0}, (char *[]){"WORD=thread", 0});
        _exit(1);
    }
    printf("exec beside a thread %d\n", status_of(child));
    return 0;
}
