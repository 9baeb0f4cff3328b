/* ppoll and signals that its mask lets through: pending before, sent while it waits; what is blocked afterwards. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int handled;
static struct pollfd waits;

static void on_signal(int signo)
{
    (void)signo;
    handled++;
}

static void report(const char *what, int result)
{
    int why = errno;
    printf("%s: %d%s, handled %d\n", what, result, result < 0 ? (why == EINTR ? " EINTR" : " other") : "", handled);
}

static int limited(int ms, const sigset_t *mask)
{
    struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    waits.revents = 0;
    return ppoll(&waits, 1, &limit, mask);
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    sigset_t none, usr1, now;
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    int ends[2];
    if (pipe(ends) < 0)
        return 1;
    waits = (struct pollfd){.fd = ends[0], .events = POLLIN};

    kill(getpid(), SIGUSR1);
    report("blocked", 0);
    report("pending", limited(200, &none));
    sigprocmask(SIG_BLOCK, NULL, &now);
    printf("mask back %d\n", sigismember(&now, SIGUSR1));
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    report("unblocked", 0);

    sigprocmask(SIG_BLOCK, &usr1, NULL);
    fflush(stdout);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        struct timespec nap = {.tv_nsec = 100000000};
        nanosleep(&nap, NULL);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    report("sent meanwhile", limited(5000, &none));
    report("wait again", limited(300, &usr1));
    if (write(ends[1], "x", 1) != 1)
        return 1;
    report("ready", limited(50, &none));
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    while (waitpid(child, NULL, 0) < 0)
        ;
    report("end", 0);
    return 0;
}
