/* Asks, forks, lets the child ask, run another image and ask there; then a child that opts out. */
#include <lind_syscall.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int child_of(void (*body)(void))
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        body();
        fflush(stdout);
        _exit(9);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void runs_second(void)
{
    char *argv[] = {"second", NULL};
    printf("child: %d\n", (int)geteuid());
    fflush(stdout);
    execve("/second.wasm", argv, environ);
}

/* Removing a row does not bring back what was beneath: copying a table that has it does. */
static void opts_out(void)
{
    printf("copied: %d\n", copy_handler_table_to_cage(1, getpid()));
    printf("opted out: %d\n", (int)geteuid());
}

int main(void)
{
    printf("app: %d\n", (int)geteuid());
    printf("app: child ended with %d\n", child_of(runs_second));
    printf("app: child ended with %d\n", child_of(opts_out));
    printf("app: %d\n", (int)geteuid());
    return 0;
}
