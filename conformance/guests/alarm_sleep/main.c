/* Time: sleeping takes at least as long as asked, alarms interrupt, intervals repeat, who sleeps less is first. */
#include "../names.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t alarms;

static void ring(int number)
{
    (void)number;
    alarms++;
}

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int took(long long since, long long at_least)
{
    return now() - since >= at_least;
}

int main(void)
{
    struct timespec wanted = {0, 30000000}, left = {0, 0}, a, b;
    struct sigaction action = {0};
    long long start = now();
    show("nanosleep", nanosleep(&wanted, NULL));
    printf("long enough %d\n", took(start, 30000000));
    start = now();
    show("usleep", usleep(10000));
    printf("long enough %d\n", took(start, 10000000));
    wanted.tv_nsec = 1000000000;
    show("bad time", nanosleep(&wanted, NULL));
    wanted.tv_nsec = -1;
    show("negative", nanosleep(&wanted, NULL));

    action.sa_handler = ring;
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {{0, 0}, {0, 20000}}, old;
    show("setitimer", setitimer(ITIMER_REAL, &timer, NULL));
    wanted = (struct timespec){5, 0};
    int result = nanosleep(&wanted, &left);
    printf("interrupted: %s, alarms %d, left %d\n", result < 0 ? name_of(errno) : "no", (int)alarms,
           left.tv_sec >= 3 && left.tv_sec < 5);
    timer.it_interval.tv_usec = 10000;
    timer.it_value.tv_usec = 10000;
    setitimer(ITIMER_REAL, &timer, NULL);
    while (alarms < 4)
        pause();
    timer = (struct itimerval){{0, 0}, {0, 0}};
    show("stop", setitimer(ITIMER_REAL, &timer, &old));
    printf("was repeating %d\n", old.it_interval.tv_usec == 10000);
    int before = alarms;
    usleep(30000);
    printf("no more alarms %d\n", alarms == before);
    printf("alarm %u\n", alarm(100));
    unsigned remaining = alarm(0);
    printf("remaining %d\n", remaining == 100 || remaining == 99);
    printf("none left %u\n", alarm(0));

    int fds[2];
    char order[4] = "";
    pipe(fds);
    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            usleep((3 - i) * 40000);
            char name = 'a' + i;
            write(fds[1], &name, 1);
            _exit(0);
        }
    }
    for (int i = 0; i < 3; i++)
        read(fds[0], order + i, 1);
    while (wait(NULL) > 0)
        ;
    printf("order %s\n", order);

    clock_gettime(CLOCK_REALTIME, &a);
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("clocks %d %d\n", a.tv_sec > 1000000000, b.tv_nsec >= 0 && b.tv_nsec < 1000000000);
    struct timeval day;
    show("gettimeofday", gettimeofday(&day, NULL));
    printf("same second %d\n", day.tv_sec - a.tv_sec <= 1 && time(NULL) - a.tv_sec <= 1);
    show("bad clock", clock_gettime(77, &a));
    clock_gettime(CLOCK_MONOTONIC, &a);
    a.tv_nsec += 15000000;
    if (a.tv_nsec >= 1000000000) {
        a.tv_sec++;
        a.tv_nsec -= 1000000000;
    }
    printf("absolute %d\n", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &a, NULL));
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("reached %d\n", b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
    show("getres", clock_getres(CLOCK_REALTIME, &a));
    printf("resolution %ld\n", a.tv_nsec);
    printf("cpu time %d\n", clock() >= 0);
    return 0;
}
