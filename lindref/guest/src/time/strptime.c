/* Reading dates, in the C locale. */
#include "../internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "names.h"

static int read_number(const char **text, int digits, int low, int high, int *value)
{
    const char *at = *text;
    int result = 0, count = 0;
    while (isspace((unsigned char)*at))
        at++;
    for (; count < digits && isdigit((unsigned char)*at); at++, count++)
        result = result * 10 + *at - '0';
    if (!count || result < low || result > high)
        return -1;
    *text = at;
    *value = result;
    return 0;
}

static int read_name(const char **text, const char (*names)[10], int count, int *value)
{
    for (int whole = 1; whole >= 0; whole--) {
        for (int i = 0; i < count; i++) {
            size_t length = whole ? strlen(names[i]) : 3;
            if (!strncasecmp(*text, names[i], length)) {
                *text += length;
                *value = i;
                return 0;
            }
        }
    }
    return -1;
}

/* What is known beside the fields, put together at the end. */
struct known {
    int century, year_of_century, pm, twelve, have_day, have_month, have_yday, have_year, have_wday;
};

static const char *parse(const char *text, const char *format, struct tm *t, struct known *known)
{
    int value;
    for (; *format; format++) {
        if (isspace((unsigned char)*format)) {
            while (isspace((unsigned char)*text))
                text++;
            continue;
        }
        if (*format != '%') {
            if (*text++ != *format)
                return 0;
            continue;
        }
        format++;
        while (*format == 'E' || *format == 'O' || *format == '-' || *format == '_' || *format == '0' || *format == '^')
            format++;
#define READ(digits, low, high)                               \
    if (read_number(&text, digits, low, high, &value))        \
        return 0
#define WITHIN(text_of_format)                                          \
    if (!(text = parse(text, text_of_format, t, known)))                \
        return 0;                                                       \
    break
        switch (*format) {
        case '%':
            if (*text++ != '%')
                return 0;
            break;
        case 'n':
        case 't':
            while (isspace((unsigned char)*text))
                text++;
            break;
        case 'a':
        case 'A':
            if (read_name(&text, days, 7, &value))
                return 0;
            t->tm_wday = value;
            known->have_wday = 1;
            break;
        case 'b':
        case 'B':
        case 'h':
            if (read_name(&text, months, 12, &value))
                return 0;
            t->tm_mon = value;
            known->have_month = 1;
            break;
        case 'c': WITHIN("%a %b %e %H:%M:%S %Y");
        case 'C': READ(2, 0, 99); known->century = value; break;
        case 'd':
        case 'e': READ(2, 1, 31); t->tm_mday = value; known->have_day = 1; break;
        case 'D':
        case 'x': WITHIN("%m/%d/%y");
        case 'F': WITHIN("%Y-%m-%d");
        case 'H':
        case 'k': READ(2, 0, 23); t->tm_hour = value; known->twelve = 0; break;
        case 'I':
        case 'l': READ(2, 1, 12); t->tm_hour = value % 12; known->twelve = 1; break;
        case 'j': READ(3, 1, 366); t->tm_yday = value - 1; known->have_yday = 1; break;
        case 'm': READ(2, 1, 12); t->tm_mon = value - 1; known->have_month = 1; break;
        case 'M': READ(2, 0, 59); t->tm_min = value; break;
        case 'p':
        case 'P':
            if (strncasecmp(text, "am", 2) && strncasecmp(text, "pm", 2))
                return 0;
            known->pm = (*text | 32) == 'p';
            text += 2;
            break;
        case 'r': WITHIN("%I:%M:%S %p");
        case 'R': WITHIN("%H:%M");
        case 's': {
            char *end;
            time_t when = strtol(text, &end, 10);
            if (end == text)
                return 0;
            text = end;
            localtime_r(&when, t);
            known->have_day = known->have_month = known->have_wday = known->have_yday = known->have_year = 1;
            break;
        }
        case 'S': READ(2, 0, 61); t->tm_sec = value; break;
        case 'T':
        case 'X': WITHIN("%H:%M:%S");
        case 'u': READ(1, 1, 7); t->tm_wday = value % 7; known->have_wday = 1; break;
        case 'w': READ(1, 0, 6); t->tm_wday = value; known->have_wday = 1; break;
        case 'g':
        case 'U':
        case 'V':
        case 'W': READ(2, 0, 99); break;
        case 'G': READ(4, 0, 9999); break;
        case 'y': READ(2, 0, 99); known->year_of_century = value; break;
        case 'Y':
            READ(4, 0, 9999);
            t->tm_year = value - 1900;
            known->have_year = 1;
            known->century = known->year_of_century = -1;
            break;
        case 'z': {
            while (isspace((unsigned char)*text))
                text++;
            if (*text == 'Z') {
                text++;
                t->tm_gmtoff = 0;
                break;
            }
            int negative = *text == '-', digits = 0, hours = 0;
            if (*text != '+' && *text != '-')
                return 0;
            for (text++; digits < 4 && (isdigit((unsigned char)*text) || (digits == 2 && *text == ':')); text++)
                if (*text != ':') {
                    hours = hours * 10 + *text - '0';
                    digits++;
                }
            if (digits == 2)
                hours *= 100;
            else if (digits != 4)
                return 0;
            t->tm_gmtoff = (hours / 100 * 3600 + hours % 100 * 60) * (negative ? -1 : 1);
            break;
        }
        case 'Z':
            while (isalpha((unsigned char)*text))
                text++;
            break;
        default:
            return 0;
        }
    }
    return text;
}

static const int before_month[13] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

char *strptime(const char *restrict text, const char *restrict format, struct tm *restrict t)
{
    struct known known = {.century = -1, .year_of_century = -1, .pm = -1};
    const char *end = parse(text, format, t, &known);
    if (!end)
        return 0;
    if (known.twelve && known.pm == 1)
        t->tm_hour += 12;
    if (known.century >= 0 || known.year_of_century >= 0) {
        int short_year = known.year_of_century >= 0 ? known.year_of_century : (t->tm_year % 100 + 100) % 100;
        int century = known.century >= 0 ? known.century : short_year >= 69 ? 19 : 20;
        t->tm_year = century * 100 + short_year - 1900;
        known.have_year = 1;
    }
    int year = t->tm_year + 1900, is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (known.have_yday && !(known.have_month && known.have_day)) {
        int month = 0;
        while (month < 11 && t->tm_yday >= before_month[month + 1] + (is_leap && month + 1 > 1))
            month++;
        t->tm_mon = month;
        t->tm_mday = t->tm_yday - before_month[month] - (is_leap && month > 1) + 1;
    } else if (known.have_year || known.have_month || known.have_day) {
        if (t->tm_mon >= 0 && t->tm_mon < 12)
            t->tm_yday = before_month[t->tm_mon] + (is_leap && t->tm_mon > 1) + t->tm_mday - 1;
    }
    if (!known.have_wday && (known.have_year || known.have_month || known.have_day || known.have_yday)) {
        struct tm copy = {.tm_year = t->tm_year, .tm_mon = t->tm_mon, .tm_mday = t->tm_mday};
        if (timegm(&copy) != -1)
            t->tm_wday = copy.tm_wday;
    }
    return (char *)end;
}
