/* The calendar: seconds to dates and back, as text and from text. The time zone is UTC. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void show(const struct tm *t)
{
    printf("%d-%02d-%02d %02d:%02d:%02d weekday %d day %d", t->tm_year + 1900, t->tm_mon + 1, t->tm_mday, t->tm_hour,
           t->tm_min, t->tm_sec, t->tm_wday, t->tm_yday);
}

static void format(const char *how, const struct tm *t)
{
    char text[200];
    size_t length = strftime(text, sizeof text, how, t);
    printf("%s -> [%s] %zu\n", how, text, length);
}

static void parse(const char *text, const char *how)
{
    struct tm t;
    memset(&t, 0, sizeof t);
    char *end = strptime(text, how, &t);
    printf("%s %s: ", text, how);
    if (!end) {
        printf("no\n");
        return;
    }
    show(&t);
    printf(" rest [%s]\n", end);
}

int main(void)
{
    static const long when[] = {0, 1, -1, 86399, 86400, 951782400, 951868800, 1709164800, 1234567890, 2147483647,
                                -2147483647 - 1, -86400, 1767225599, 1735689600, 946684800, 1483228799};
    setenv("TZ", "UTC0", 1);
    tzset();
    int wrong = 0;
    for (size_t i = 0; i < sizeof when / sizeof *when; i++) {
        time_t t = when[i];
        struct tm parts = *gmtime(&t);
        show(&parts);
        char text[120];
        strftime(text, sizeof text, "%G-W%V-%u %U %W %j %C %y %I%p", &parts);
        printf(" %s\n", text);
        wrong += timegm(&parts) != t || mktime(localtime(&t)) != t;
    }
    for (long t = -2000000000; t < 2000000000; t += 12345678) {
        time_t exact = t;
        struct tm parts;
        gmtime_r(&exact, &parts);
        wrong += timegm(&parts) != exact;
    }
    printf("wrong %d\n", wrong);

    struct tm odd = {.tm_year = 124, .tm_mon = 13, .tm_mday = 32, .tm_hour = 25, .tm_min = 61, .tm_sec = 61};
    time_t t = mktime(&odd);
    printf("%ld ", (long)t);
    show(&odd);
    odd = (struct tm){.tm_year = 100, .tm_mon = -1, .tm_mday = 0, .tm_hour = -1};
    t = mktime(&odd);
    printf("\n%ld ", (long)t);
    show(&odd);
    printf("\n");

    t = 1234567890;
    struct tm *parts = gmtime(&t);
    printf("%s%s", asctime(parts), ctime(&t));
    static const char *formats[] = {"%a %A %b %B %h", "%c", "%x %X", "%D %F %T %R", "%e|%k|%l|%H|%M|%S", "%n%t%%",
                                    "%Ec %Od", "%s", "%z", "%-d %_d %05d %^a %^B %#p", "%r", "%10Y|%-m|%_3H", "%g %G %V",
                                    "", "plain", "%P"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        format(formats[i], parts);
    char tiny[4];
    printf("does not fit: %zu\n", strftime(tiny, sizeof tiny, "%Y", parts));

    parse("2024-02-29 23:59:58", "%Y-%m-%d %H:%M:%S");
    parse("29/Feb/2024", "%d/%b/%Y");
    parse("Thu Jan  1 00:00:00 1970", "%c");
    parse("12/31/99", "%D");
    parse("11:05:09 PM tail", "%r");
    parse("060 2023", "%j %Y");
    parse("13/45", "%m/%d");
    parse("tuesday", "%A");
    parse("1234567890", "%s");
    parse("99 x", "%y y");
    printf("%.0f\n", difftime(1000000000, -5));
    return 0;
}
