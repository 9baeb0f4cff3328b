/* Reading clocks. The system writes two 64-bit fields, which the padding of struct timespec takes up. */
#include "../internal.h"

#include <errno.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *when)
{
    return CALL(LIND_CALL_CLOCK_GETTIME, SIZE(clock), POINTER(when));
}

/* All clocks of the system count nanoseconds; those named coarse tick 250 times a second. */
int clock_getres(clockid_t clock, struct timespec *resolution)
{
    struct timespec now;
    if (clock_gettime(clock, &now))
        return -1;
    if (resolution)
        *resolution = (struct timespec){0, clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE ? 4000000 : 1};
    return 0;
}

int clock_settime(clockid_t clock, const struct timespec *when)
{
    (void)clock, (void)when;
    errno = EPERM;
    return -1;
}

int clock_getcpuclockid(pid_t pid, clockid_t *clock)
{
    (void)pid;
    *clock = CLOCK_PROCESS_CPUTIME_ID;
    return 0;
}

time_t time(time_t *when)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    if (when)
        *when = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec exact;
    if (zone)
        *(struct timezone *)zone = (struct timezone){0, 0};
    if (!now)
        return 0;
    if (clock_gettime(CLOCK_REALTIME, &exact))
        return -1;
    *now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
    return 0;
}

int timespec_get(struct timespec *when, int base)
{
    return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, when) ? base : 0;
}

clock_t clock(void)
{
    struct timespec used;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used))
        return -1;
    return (clock_t)((unsigned long)used.tv_sec * 1000000UL + used.tv_nsec / 1000);
}

double difftime(time_t end, time_t start)
{
    return (double)end - (double)start;
}

/* In ticks of 1/100 s. What children used is not known. */
clock_t times(struct tms *used)
{
    struct timespec now;
    if (used) {
        if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now))
            return -1;
        *used = (struct tms){.tms_utime = now.tv_sec * 100 + now.tv_nsec / 10000000};
    }
    if (clock_gettime(CLOCK_MONOTONIC, &now))
        return -1;
    return now.tv_sec * 100 + now.tv_nsec / 10000000;
}
