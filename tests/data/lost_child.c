/* Waiting for SIGCHLD with pause: the signal may come between the look and the wait. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static volatile sig_atomic_t gone;
static void note(int signo)
{
    gone = signo;
}
int main(void)
{
    struct sigaction action = {.sa_handler = note};
    sigaction(SIGCHLD, &action, 0);
    if (fork() == 0)
        _exit(0);
    if (!gone)
        pause();
    puts("told");
    return 0;
}
