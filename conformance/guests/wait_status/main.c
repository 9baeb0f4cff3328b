/* How children end and how a parent learns of it. */
#include "../names.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void report(const char *how, int status)
{
    printf("%s: exited %d (%d), signalled %d (%d), stopped %d\n", how, WIFEXITED(status),
           WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status), WIFSIGNALED(status) ? WTERMSIG(status) : 0,
           WIFSTOPPED(status));
}

static void at_end(void)
{
    _exit(55);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int status = -1;
    static const int codes[] = {0, 1, 127, 255, 256, -1};
    show("no children", waitpid(-1, &status, 0));
    show("no children", wait(NULL));
    for (int i = 0; i < 6; i++) {
        pid_t child = fork();
        if (child == 0)
            exit(codes[i]);
        if (waitpid(child, &status, 0) != child)
            printf("wrong child\n");
        report("exit", status);
    }
    static const int signals[] = {SIGTERM, SIGKILL, SIGUSR1, SIGINT};
    for (int i = 0; i < 4; i++) {
        pid_t child = fork();
        if (child == 0) {
            kill(getpid(), signals[i]);
            for (;;)
                pause();
        }
        waitpid(child, &status, 0);
        report("signal", status);
    }
    pid_t child = fork();
    if (child == 0) {
        atexit(at_end);
        exit(1);
    }
    waitpid(child, &status, 0);
    report("atexit", status);

    int fds[2];
    char byte;
    pipe(fds);
    child = fork();
    if (child == 0) {
        close(fds[1]);
        read(fds[0], &byte, 1);
        _exit(9);
    }
    close(fds[0]);
    show("any, not yet", waitpid(-1, &status, WNOHANG));
    close(fds[1]);
    show("now", waitpid(-1, &status, 0) == child);
    report("after the pipe", status);
    show("not again", waitpid(child, &status, 0));
    show("not a child", waitpid(getpid(), &status, 0));

    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(10 + i);
    }
    for (int i = 2; i >= 0; i--) {
        waitpid(children[i], &status, 0);
        printf("%d", WEXITSTATUS(status));
    }
    printf("\n");
    show("none left", wait(&status));

    /* An orphan lives on and its end reaches nobody. */
    pipe(fds);
    if (fork() == 0) {
        if (fork() == 0) {
            usleep(20000);
            write(fds[1], "o", 1);
            _exit(77);
        }
        _exit(1);
    }
    wait(&status);
    read(fds[0], &byte, 1);
    printf("orphan wrote %c, parent of it %d\n", byte, WEXITSTATUS(status));
    show("none left", wait(&status));
    return 300;
}
