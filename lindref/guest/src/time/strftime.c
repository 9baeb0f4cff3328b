/* Dates as text, in the C locale. */
#include "../internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "names.h"

/* The ISO 8601 week and the year it belongs to: week 1 is the one with the first Thursday. */
static int iso_week(const struct tm *t, long long *year)
{
    int monday_based = (t->tm_wday + 6) % 7;
    int week = (t->tm_yday - monday_based + 10) / 7;
    *year = t->tm_year + 1900LL;
    if (week < 1) {
        long long before = --*year;
        int length = before % 4 == 0 && (before % 100 != 0 || before % 400 == 0) ? 366 : 365;
        return (t->tm_yday + length - monday_based + 10) / 7;
    }
    int length = *year % 4 == 0 && (*year % 100 != 0 || *year % 400 == 0) ? 366 : 365;
    if (week == 53 && t->tm_yday - monday_based + 3 >= length) {
        ++*year;
        return 1;
    }
    return week;
}

struct out {
    char *to;
    size_t size, used;
};

static void add(struct out *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++, out->used++)
        if (out->used < out->size)
            out->to[out->used] = text[i];
}

/* A number with a width; `pad` is '0', '_' (spaces) or '-' (nothing). */
static void number(struct out *out, long long value, int width, int pad, int plus)
{
    char digits[24];
    int negative = value < 0;
    int length = sprintf(digits, "%llu", negative ? 0ULL - value : (unsigned long long)value);
    if (negative || plus)
        width -= 1;
    if (pad == '_')
        for (int i = length; i < width; i++)
            add(out, " ", 1);
    if (negative)
        add(out, "-", 1);
    else if (plus)
        add(out, "+", 1);
    if (pad == '0')
        for (int i = length; i < width; i++)
            add(out, "0", 1);
    add(out, digits, length);
}

static void word(struct out *out, const char *text, size_t length, int width, int upper, int swap, int pad)
{
    for (size_t i = length; (int)i < width; i++)
        add(out, pad == '0' ? "0" : " ", 1);
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (upper)
            c = toupper((unsigned char)c);
        else if (swap)
            c = tolower((unsigned char)c);
        add(out, &c, 1);
    }
}

static void format_into(struct out *out, const char *format, const struct tm *t)
{
    for (; *format; format++) {
        if (*format != '%') {
            add(out, format, 1);
            continue;
        }
        int flag = 0, upper = 0, swap = 0, width = -1;
        const char *begin = format++;
        for (;; format++) {
            if (*format == '_' || *format == '-' || *format == '0' || *format == '+')
                flag = *format;
            else if (*format == '^')
                upper = 1;
            else if (*format == '#')
                swap = 1;
            else
                break;
        }
        if (isdigit((unsigned char)*format))
            width = strtol(format, (char **)&format, 10);
        if (*format == 'E' || *format == 'O')
            format++;
        long long year = t->tm_year + 1900LL, iso;
#define PAD(usual) (flag == '_' || flag == '-' || flag == '0' ? flag : flag == '+' ? '0' : usual)
#define NUMBER(value, digits, usual) number(out, value, width >= 0 ? width : PAD(usual) == '-' ? 0 : digits, PAD(usual), 0)
#define WORD(text, size) word(out, text, size, width, upper, swap, flag)
#define NESTED(text)                                              \
    do {                                                          \
        char inner[200];                                          \
        struct out in = {inner, sizeof inner, 0};                 \
        format_into(&in, text, t);                                \
        word(out, inner, in.used < sizeof inner ? in.used : sizeof inner, width, upper, 0, flag); \
    } while (0)
        switch (*format) {
        case '%': WORD("%", 1); break;
        case 'n': WORD("\n", 1); break;
        case 't': WORD("\t", 1); break;
        case 'a':
            upper |= swap;
            if (t->tm_wday < 0 || t->tm_wday > 6)
                WORD("?", 1);
            else
                WORD(days[t->tm_wday], 3);
            break;
        case 'A':
            upper |= swap;
            if (t->tm_wday < 0 || t->tm_wday > 6)
                WORD("?", 1);
            else
                WORD(days[t->tm_wday], strlen(days[t->tm_wday]));
            break;
        case 'b':
        case 'h':
            upper |= swap;
            if (t->tm_mon < 0 || t->tm_mon > 11)
                WORD("?", 1);
            else
                WORD(months[t->tm_mon], 3);
            break;
        case 'B':
            upper |= swap;
            if (t->tm_mon < 0 || t->tm_mon > 11)
                WORD("?", 1);
            else
                WORD(months[t->tm_mon], strlen(months[t->tm_mon]));
            break;
        case 'c': NESTED("%a %b %e %H:%M:%S %Y"); break;
        case 'C': NUMBER(year >= 0 ? year / 100 : (year - 99) / 100, 2, '0'); break;
        case 'd': NUMBER(t->tm_mday, 2, '0'); break;
        case 'D':
        case 'x': NESTED("%m/%d/%y"); break;
        case 'e': NUMBER(t->tm_mday, 2, '_'); break;
        case 'F': NESTED("%Y-%m-%d"); break;
        case 'g': iso_week(t, &iso); NUMBER((iso % 100 + 100) % 100, 2, '0'); break;
        case 'G': iso_week(t, &iso); NUMBER(iso, 1, '0'); break;
        case 'H': NUMBER(t->tm_hour, 2, '0'); break;
        case 'I': NUMBER((t->tm_hour + 11) % 12 + 1, 2, '0'); break;
        case 'j': NUMBER(t->tm_yday + 1, 3, '0'); break;
        case 'k': NUMBER(t->tm_hour, 2, '_'); break;
        case 'l': NUMBER((t->tm_hour + 11) % 12 + 1, 2, '_'); break;
        case 'm': NUMBER(t->tm_mon + 1, 2, '0'); break;
        case 'M': NUMBER(t->tm_min, 2, '0'); break;
        case 'p': WORD(t->tm_hour >= 12 ? "PM" : "AM", 2); break;
        case 'P': swap = 1; WORD(t->tm_hour >= 12 ? "pm" : "am", 2); break;
        case 'r': NESTED("%I:%M:%S %p"); break;
        case 'R': NESTED("%H:%M"); break;
        case 's': {
            struct tm copy = *t;
            NUMBER((long long)timegm(&copy) - t->tm_gmtoff, 1, '0');
            break;
        }
        case 'S': NUMBER(t->tm_sec, 2, '0'); break;
        case 'T':
        case 'X': NESTED("%H:%M:%S"); break;
        case 'u': NUMBER((t->tm_wday + 6) % 7 + 1, 1, '0'); break;
        case 'U': NUMBER((t->tm_yday + 7 - t->tm_wday) / 7, 2, '0'); break;
        case 'V': NUMBER(iso_week(t, &iso), 2, '0'); break;
        case 'w': NUMBER(t->tm_wday, 1, '0'); break;
        case 'W': NUMBER((t->tm_yday + 7 - (t->tm_wday + 6) % 7) / 7, 2, '0'); break;
        case 'y': NUMBER((year % 100 + 100) % 100, 2, '0'); break;
        case 'Y': NUMBER(year, 1, '0'); break;
        case 'z': {
            long minutes = t->tm_gmtoff / 60;
            int negative = minutes < 0;
            add(out, negative ? "-" : "+", 1);
            number(out, (negative ? -minutes : minutes) / 60 * 100 + (negative ? -minutes : minutes) % 60,
                   width > 0 ? width - 1 : 4, '0', 0);
            break;
        }
        case 'Z': {
            const char *zone = t->tm_zone ? t->tm_zone : "";
            WORD(zone, strlen(zone));
            break;
        }
        case '\0':
            format--; /* the loop's step ends the text */
            add(out, begin, format - begin + 1);
            break;
        default:
            add(out, begin, format - begin + 1);
        }
    }
}

size_t strftime(char *restrict to, size_t size, const char *restrict format, const struct tm *restrict parts)
{
    struct out out = {to, size, 0};
    format_into(&out, format, parts);
    if (out.used >= size)
        return 0;
    to[out.used] = 0;
    return out.used;
}

char *asctime_r(const struct tm *restrict t, char *restrict text)
{
    if (t->tm_wday < 0 || t->tm_wday > 6 || t->tm_mon < 0 || t->tm_mon > 11)
        sprintf(text, "%.3s %.3s%3d %.2d:%.2d:%.2d %d\n", "???", "???", t->tm_mday, t->tm_hour, t->tm_min, t->tm_sec,
                1900 + t->tm_year);
    else
        sprintf(text, "%.3s %.3s%3d %.2d:%.2d:%.2d %d\n", days[t->tm_wday], months[t->tm_mon], t->tm_mday, t->tm_hour,
                t->tm_min, t->tm_sec, 1900 + t->tm_year);
    return text;
}

char *asctime(const struct tm *parts)
{
    static char text[96];
    return asctime_r(parts, text);
}

char *ctime_r(const time_t *when, char *text)
{
    struct tm parts;
    return localtime_r(when, &parts) ? asctime_r(&parts, text) : 0;
}

char *ctime(const time_t *when)
{
    static char text[96];
    return ctime_r(when, text);
}
