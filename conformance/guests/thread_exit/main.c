/* Threads and the end of the process: the first one may leave before the others, any one may end all. */
#include "../names.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>

static void *last_one(void *argument)
{
    usleep(10000);
    printf("the last thread\n");
    return argument;
}

static void *ends_all(void *argument)
{
    usleep(5000);
    exit(*(int *)argument);
}

static void *ends_at_once(void *argument)
{
    usleep(5000);
    _exit(*(int *)argument);
}

static void *for_ever(void *argument)
{
    for (;;)
        usleep(1000);
    return argument;
}


static void at_end(void)
{
    printf("handlers run\n");
}

static void in_child(int how)
{
    int status, code = 40 + how;
    pthread_t thread;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        atexit(at_end);
        switch (how) {
        case 0:
            pthread_create(&thread, NULL, last_one, NULL);
            pthread_exit(NULL);
        case 1:
            pthread_create(&thread, NULL, ends_all, &code);
            for_ever(NULL);
        case 2:
            pthread_create(&thread, NULL, ends_at_once, &code);
            for_ever(NULL);
        case 3:
            pthread_create(&thread, NULL, for_ever, NULL);
            exit(code);
        case 4:
            pthread_create(&thread, NULL, for_ever, NULL);
            usleep(5000);
            abort();
        }
    }
    waitpid(child, &status, 0);
    printf("%d: %s %d\n", how, WIFEXITED(status) ? "exit" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

int main(void)
{
    for (int how = 0; how < 5; how++)
        in_child(how);
    return 0;
}
