/* A time limit on anything: an alarm whose handler jumps out of the call. */
#include "../names.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

static sigjmp_buf out;

static void ring(int number)
{
    siglongjmp(out, number);
}

static long limited_read(int fd, char *text, int microseconds)
{
    struct itimerval limit = {{0, 0}, {0, microseconds}}, none = {{0, 0}, {0, 0}};
    if (sigsetjmp(out, 1)) {
        errno = ETIMEDOUT;
        return -1;
    }
    setitimer(ITIMER_REAL, &limit, NULL);
    long got = read(fd, text, 8);
    setitimer(ITIMER_REAL, &none, NULL);
    return got;
}

static int __attribute__((noinline)) spin(volatile unsigned *count)
{
    for (;;)
        ++*count, usleep(100);
}

int main(void)
{
    int fds[2];
    char text[8];
    volatile unsigned count = 0;
    signal(SIGALRM, ring);
    pipe(fds);
    show("nothing comes", limited_read(fds[0], text, 20000));
    write(fds[1], "now", 3);
    show("something there", limited_read(fds[0], text, 20000) > 0);
    while (limited_read(fds[0], text, 20000) > 0)
        ;
    show("nothing again", limited_read(fds[0], text, 20000));
    if (fork() == 0) {
        usleep(15000);
        write(fds[1], "late", 4);
        _exit(0);
    }
    show("in time", limited_read(fds[0], text, 900000) > 0);
    if (sigsetjmp(out, 1) == 0) {
        struct itimerval limit = {{0, 0}, {0, 1000}};
        setitimer(ITIMER_REAL, &limit, NULL);
        spin(&count);
    }
    printf("counted %d\n", count > 0);
    return 0;
}
