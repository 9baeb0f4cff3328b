/* The end of a process: what runs, in which order, and what is written. */
#include "../names.h"

#include <stdlib.h>
#include <sys/wait.h>

static void first(void)
{
    printf("first registered, last run\n");
}

static void second(void)
{
    printf("second\n");
}

static void late(void)
{
    printf("registered by a handler\n");
}

static void third(void)
{
    printf("third registers another\n");
    atexit(late);
}

static void quick(void)
{
    static const char text[] = "quick\n";
    write(1, text, sizeof text - 1);
}

static void with_status(int status, void *argument)
{
    printf("%s %d\n", (char *)argument, status);
}

__attribute__((destructor)) static void destructor(void)
{
    printf("destructor\n");
}

__attribute__((constructor)) static void constructor(void)
{
    setenv("CONSTRUCTED", "yes", 1);
}

static void in_child(int how)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        atexit(first);
        atexit(second);
        atexit(third);
        on_exit(with_status, "status");
        at_quick_exit(quick);
        printf("how %d\n", how);
        switch (how) {
        case 0: exit(7);
        case 1: _exit(8);
        case 2: fflush(stdout), quick_exit(9);
        case 3: fflush(stdout), abort();
        case 4: fflush(stdout), _Exit(300);
        }
    }
    waitpid(child, &status, 0);
    printf("-> %s %d\n", WIFEXITED(status) ? "exit" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

int main(void)
{
    printf("constructed %s\n", getenv("CONSTRUCTED"));
    for (int how = 0; how < 5; how++)
        in_child(how);
    for (int i = 0; i < 40; i++)
        atexit(i % 20 ? constructor : second);
    return 5;
}
