/* Sleeping and the alarm. */
#include "../internal.h"

#include <errno.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Call 35 has the arguments of clock_nanosleep. The raw result. */
static int sleep_call(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *remaining)
{
    struct wire_timespec in = {wanted->tv_sec, wanted->tv_nsec}, out = {0, 0};
    __lind_cancel_point();
    int result = RAW(LIND_CALL_CLOCK_NANOSLEEP, SIZE(clock), INT(flags), POINTER(&in), POINTER(&out));
    if (result == -EINTR && remaining && !(flags & TIMER_ABSTIME))
        *remaining = (struct timespec){out.seconds, out.nanoseconds};
    __lind_cancel_point();
    return result;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *remaining)
{
    return -sleep_call(clock, flags, wanted, remaining);
}

int nanosleep(const struct timespec *wanted, struct timespec *remaining)
{
    return __lind_result(sleep_call(CLOCK_REALTIME, 0, wanted, remaining));
}

unsigned sleep(unsigned seconds)
{
    struct timespec wanted = {seconds > 0x7fffffffu ? 0x7fffffff : seconds, 0}, left = {0, 0};
    int saved = errno;
    if (nanosleep(&wanted, &left) == 0) {
        errno = saved;
        return 0;
    }
    return left.tv_sec + (left.tv_nsec >= 500000000);
}

int usleep(unsigned microseconds)
{
    struct timespec wanted = {microseconds / 1000000, microseconds % 1000000 * 1000L};
    return nanosleep(&wanted, 0);
}

struct wire_itimer {
    struct wire_timeval interval, value;
};

int setitimer(int which, const struct itimerval *restrict value, struct itimerval *restrict old)
{
    struct wire_itimer in, out = {{0, 0}, {0, 0}};
    if (value) {
        in = (struct wire_itimer){{value->it_interval.tv_sec, value->it_interval.tv_usec},
                                  {value->it_value.tv_sec, value->it_value.tv_usec}};
    }
    int result = CALL(LIND_CALL_SETITIMER, INT(which), POINTER(value ? &in : 0), POINTER(old ? &out : 0));
    if (result == 0 && old)
        *old = (struct itimerval){{out.interval.seconds, out.interval.microseconds},
                                  {out.value.seconds, out.value.microseconds}};
    return result;
}

/* The system answers setitimer without a new value. */
int getitimer(int which, struct itimerval *value)
{
    return setitimer(which, 0, value);
}

unsigned alarm(unsigned seconds)
{
    struct itimerval wanted = {{0, 0}, {seconds, 0}}, old = {{0, 0}, {0, 0}};
    if (setitimer(ITIMER_REAL, &wanted, &old))
        return 0;
    unsigned left = old.it_value.tv_sec;
    if (old.it_value.tv_usec >= 500000 || (left == 0 && old.it_value.tv_usec > 0))
        left++;
    return left;
}

unsigned ualarm(unsigned microseconds, unsigned interval)
{
    struct itimerval wanted = {{interval / 1000000, interval % 1000000},
                               {microseconds / 1000000, microseconds % 1000000}};
    struct itimerval old = {{0, 0}, {0, 0}};
    if (setitimer(ITIMER_REAL, &wanted, &old))
        return -1;
    return old.it_value.tv_sec * 1000000 + old.it_value.tv_usec;
}
