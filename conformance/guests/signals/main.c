/* Signals: handlers, masks, pending ones, what a handler interrupts, ignored ones, defaults, and errors. */
#include "../names.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t caught[32];
static volatile sig_atomic_t nested, deepest;
static char order[32];

static void note(int number)
{
    caught[number]++;
    order[strlen(order)] = number == SIGUSR1 ? '1' : number == SIGUSR2 ? '2' : number == SIGCHLD ? 'c' : '?';
}

static void again(int number)
{
    if (++nested > deepest)
        deepest = nested;
    if (caught[number]++ == 0)
        kill(getpid(), number);
    nested--;
}


static void send(int number)
{
    kill(getpid(), number);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    struct sigaction action, old;
    sigset_t set, before;
    printf("signal %d\n", signal(SIGUSR1, note) == SIG_DFL);
    send(SIGUSR1);
    send(SIGUSR1);
    printf("caught %d\n", caught[SIGUSR1]);
    printf("before that it was note: %d\n", signal(SIGUSR1, SIG_IGN) == note);
    send(SIGUSR1);
    printf("ignored, still %d\n", caught[SIGUSR1]);

    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGUSR2);
    show("sigaction", sigaction(SIGUSR1, &action, &old));
    printf("old was ignore: %d\n", old.sa_handler == SIG_IGN);
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR2, &action, NULL);
    sigaction(SIGUSR1, NULL, &old);
    printf("handler %d, mask has USR2 %d, USR1 %d\n", old.sa_handler == note, sigismember(&old.sa_mask, SIGUSR2),
           sigismember(&old.sa_mask, SIGUSR1));

    order[0] = 0;
    memset(order, 0, sizeof order);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    show("block", sigprocmask(SIG_BLOCK, &set, &before));
    send(SIGUSR1);
    send(SIGUSR2);
    printf("while blocked: %s\n", order);
    show("restore", sigprocmask(SIG_SETMASK, &before, NULL));
    printf("after: %s\n", order);
    sigprocmask(SIG_BLOCK, NULL, &before);
    printf("USR1 blocked %d\n", sigismember(&before, SIGUSR1));

    action.sa_handler = again;
    action.sa_flags = SA_NODEFER;
    sigaction(SIGTERM, &action, NULL);
    send(SIGTERM);
    printf("nodefer: %d times, depth %d\n", caught[SIGTERM], (int)deepest);
    nested = deepest = 0;
    action.sa_flags = 0;
    sigaction(SIGHUP, &action, NULL);
    send(SIGHUP);
    printf("deferred: %d times, depth %d\n", caught[SIGHUP], (int)deepest);

    action.sa_handler = note;
    action.sa_flags = SA_RESETHAND;
    sigaction(SIGURG, &action, NULL);
    send(SIGURG);
    sigaction(SIGURG, NULL, &old);
    printf("reset: %d, %d\n", caught[SIGURG], old.sa_handler == SIG_DFL);

    sigemptyset(&set);
    show("sigfillset", sigfillset(&set));
    printf("members %d %d\n", sigismember(&set, SIGUSR1), sigismember(&set, SIGTERM));
    sigdelset(&set, SIGTERM);
    printf("without %d\n", sigismember(&set, SIGTERM));
    show("bad signal in a set", sigaddset(&set, 65));
    show("SIGKILL cannot be caught", sigaction(SIGKILL, &action, NULL));
    show("no such signal", sigaction(99, &action, NULL));
    show("kill nobody", kill(999999, SIGTERM));
    show("kill with 99", kill(getpid(), 99));

    int fds[2], status;
    char byte;
    pipe(fds);
    action.sa_handler = note;
    action.sa_flags = 0;
    sigaction(SIGCHLD, &action, NULL);
    memset(order, 0, sizeof order);
    pid_t parent = getpid();
    if (fork() == 0) {
        usleep(20000);
        kill(parent, SIGUSR2);
        usleep(20000);
        write(fds[1], "x", 1);
        _exit(4);
    }
    ssize_t got = read(fds[0], &byte, 1);
    printf("read interrupted: %s, %s\n", got < 0 ? name_of(errno) : "no", order);
    while ((got = read(fds[0], &byte, 1)) < 0)
        ;
    while (wait(&status) < 0)
        ;
    printf("then %zd, status %d, SIGCHLD %d\n", got, WEXITSTATUS(status), caught[SIGCHLD]);

    pid_t child = fork();
    if (child == 0) {
        sigset_t all;
        sigfillset(&all);
        sigdelset(&all, SIGUSR1);
        sigsuspend(&all);
        _exit(caught[SIGUSR1] > 2 ? 11 : 12);
    }
    usleep(20000);
    kill(child, SIGUSR1);
    while (waitpid(child, &status, 0) < 0)
        ;
    printf("sigsuspend returned: %d\n", WEXITSTATUS(status));
    for (int i = 0; i < 3; i++) {
        static const int fatal[] = {SIGTERM, SIGKILL, SIGALRM};
        child = fork();
        if (child == 0) {
            signal(fatal[i], SIG_DFL);
            for (;;)
                usleep(1000);
        }
        usleep(10000);
        kill(child, fatal[i]);
        while (waitpid(child, &status, 0) < 0)
            ;
        printf("killed by %d: %d\n", fatal[i], WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    }
    printf("%s\n", strsignal(SIGTERM));
    signal(SIGTERM, SIG_DFL);
    fflush(stdout);
    send(SIGTERM);
    return 0;
}
