/* The calendar (proleptic Gregorian, UTC). */
#include "../internal.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

char *tzname[2] = {"UTC", "UTC"};
long timezone;
int daylight;

void tzset(void)
{
}

/* Days from 1970-01-01 to the first day of a month: years are counted from March, so that the leap day comes last. */
static long long days_before(long long year, int month)
{
    year -= month < 2;
    long long era = (year >= 0 ? year : year - 399) / 400;
    unsigned of_era = year - era * 400;
    unsigned of_year = (153 * (month + (month >= 2 ? -2 : 10)) + 2) / 5;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int leap(long long year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int split(long long when, struct tm *parts)
{
    long long days = when / 86400;
    int second = when % 86400;
    if (second < 0) {
        second += 86400;
        days--;
    }
    long long z = days + 719468;
    long long era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned of_era = z - era * 146097;
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * of_year + 2) / 153;
    int weekday = (days % 7 + 11) % 7; /* 1970-01-01 was a Thursday */
    long long year = year_of_era + era * 400 + (month >= 10);
    if (year - 1900 > INT_MAX || year - 1900 < INT_MIN) {
        errno = EOVERFLOW;
        return -1;
    }
    parts->tm_mday = of_year - (153 * month + 2) / 5 + 1;
    parts->tm_mon = month < 10 ? month + 2 : month - 10;
    parts->tm_year = year - 1900;
    parts->tm_wday = weekday;
    parts->tm_yday = days - days_before(year, 0);
    parts->tm_hour = second / 3600;
    parts->tm_min = second / 60 % 60;
    parts->tm_sec = second % 60;
    parts->tm_isdst = 0;
    parts->tm_gmtoff = 0;
    parts->tm_zone = "UTC";
    return 0;
}

struct tm *gmtime_r(const time_t *restrict when, struct tm *restrict parts)
{
    if (split(*when, parts))
        return 0;
    parts->tm_zone = "GMT";
    return parts;
}

struct tm *localtime_r(const time_t *restrict when, struct tm *restrict parts)
{
    return split(*when, parts) ? 0 : parts;
}

static struct tm shared;

struct tm *gmtime(const time_t *when)
{
    return gmtime_r(when, &shared);
}

struct tm *localtime(const time_t *when)
{
    return localtime_r(when, &shared);
}

/* Fields may be out of their ranges; the result is put back in order. */
time_t timegm(struct tm *parts)
{
    long long month = parts->tm_mon, year = parts->tm_year + 1900LL + month / 12;
    month %= 12;
    if (month < 0) {
        month += 12;
        year--;
    }
    long long days = days_before(year, month) + parts->tm_mday - 1;
    long long when = days * 86400 + parts->tm_hour * 3600LL + parts->tm_min * 60LL + parts->tm_sec;
    struct tm exact;
    if (when > LONG_MAX || when < LONG_MIN || split(when, &exact)) {
        errno = EOVERFLOW;
        return -1;
    }
    exact.tm_zone = "GMT";
    *parts = exact;
    return when;
}

time_t mktime(struct tm *parts)
{
    time_t when = timegm(parts);
    parts->tm_zone = tzname[0];
    return when;
}

int dysize(int year)
{
    return leap(year) ? 366 : 365;
}
