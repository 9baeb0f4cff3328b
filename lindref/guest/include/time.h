/* C11 7.27 and POSIX: time. The only time zone is UTC. */
#ifndef _TIME_H
#define _TIME_H

#include <features.h>
#include <stddef.h>
#include <bits/alltypes.h>

__BEGIN_DECLS

#define CLOCKS_PER_SEC 1000000L
#define TIME_UTC 1
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID 3
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7
#define CLOCK_REALTIME_ALARM 8
#define CLOCK_BOOTTIME_ALARM 9
#define CLOCK_TAI 11
#define TIMER_ABSTIME 1

struct tm {
    int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
    long tm_gmtoff;
    const char *tm_zone;
};

extern char *tzname[2];
extern long timezone;
extern int daylight;

time_t time(time_t *when);
clock_t clock(void);
double difftime(time_t end, time_t start);
time_t mktime(struct tm *parts);
time_t timegm(struct tm *parts);
struct tm *gmtime(const time_t *when);
struct tm *gmtime_r(const time_t *restrict when, struct tm *restrict parts);
struct tm *localtime(const time_t *when);
struct tm *localtime_r(const time_t *restrict when, struct tm *restrict parts);
char *asctime(const struct tm *parts);
char *asctime_r(const struct tm *restrict parts, char *restrict text);
char *ctime(const time_t *when);
char *ctime_r(const time_t *when, char *text);
size_t strftime(char *restrict to, size_t size, const char *restrict format, const struct tm *restrict parts);
char *strptime(const char *restrict text, const char *restrict format, struct tm *restrict parts);
void tzset(void);
int timespec_get(struct timespec *when, int base);

int clock_gettime(clockid_t clock, struct timespec *when);
int clock_getres(clockid_t clock, struct timespec *resolution);
int clock_settime(clockid_t clock, const struct timespec *when);
int clock_getcpuclockid(pid_t pid, clockid_t *clock);
int dysize(int year);
int nanosleep(const struct timespec *wanted, struct timespec *remaining);
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *remaining);

__END_DECLS

#endif
