/* A handler that collects children while the program goes on. */
#include "../names.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

static volatile sig_atomic_t collected, sum;

static void collect(int number)
{
    int status, saved = errno;
    (void)number;
    while (waitpid(-1, &status, WNOHANG) > 0) {
        collected++;
        sum += WEXITSTATUS(status);
    }
    errno = saved;
}

int main(void)
{
    struct sigaction action = {0};
    sigset_t block, old;
    action.sa_handler = collect;
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(&block);
    sigaddset(&block, SIGCHLD);
    sigprocmask(SIG_BLOCK, &block, &old);
    for (int i = 1; i <= 5; i++)
        if (fork() == 0) {
            if (i % 2)
                usleep(i * 3000);
            _exit(i);
        }
    while (collected < 5)
        sigsuspend(&old);
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("collected %d, sum %d\n", (int)collected, (int)sum);
    show("none left", wait(NULL));

    /* Children that are waited for although a handler is there. */
    collected = 0;
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(9);
    int status;
    show("by hand", waitpid(child, &status, 0) == child);
    printf("status %d, handler %d\n", WEXITSTATUS(status), (int)collected);

    /* A stopped wait: the handler runs, the call is interrupted or goes on as the flag says. */
    for (int restart = 0; restart < 2; restart++) {
        action.sa_handler = collect;
        action.sa_flags = restart ? SA_RESTART : 0;
        sigaction(SIGUSR1, &action, NULL);
        pid_t me = getpid();
        child = fork();
        if (child == 0) {
            usleep(20000);
            kill(me, SIGUSR1);
            usleep(20000);
            _exit(3);
        }
        int first = waitpid(child, &status, 0);
        printf("restart %d: %s\n", restart, first == child ? "waited" : name_of(errno));
        while (first < 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    }
    return 0;
}
