/* Messages and ends: err.h and error.h. */
#include "../internal.h"

#include <err.h>
#include <errno.h>
#include <error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned error_message_count;
int error_one_per_line;

static void say(const char *format, va_list args, int number)
{
    fflush(stdout);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    if (format) {
        vfprintf(stderr, format, args);
        if (number >= 0)
            fputs(": ", stderr);
    }
    if (number >= 0)
        fputs(strerror(number), stderr);
    fputc('\n', stderr);
}

void vwarn(const char *format, va_list args) { say(format, args, errno); }
void vwarnx(const char *format, va_list args) { say(format, args, -1); }

_Noreturn void verr(int status, const char *format, va_list args)
{
    say(format, args, errno);
    exit(status);
}

_Noreturn void verrx(int status, const char *format, va_list args)
{
    say(format, args, -1);
    exit(status);
}

#define PASS(function, ...)           \
    va_list args;                     \
    va_start(args, format);           \
    function(__VA_ARGS__ format, args); \
    va_end(args)

void warn(const char *format, ...) { PASS(vwarn, ); }
void warnx(const char *format, ...) { PASS(vwarnx, ); }

_Noreturn void err(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    verr(status, format, args);
}

_Noreturn void errx(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    verrx(status, format, args);
}

static void gnu_message(int status, int number, const char *format, va_list args)
{
    vfprintf(stderr, format, args);
    if (number)
        fprintf(stderr, ": %s", strerror(number));
    fputc('\n', stderr);
    error_message_count++;
    if (status)
        exit(status);
}

void error(int status, int number, const char *format, ...)
{
    va_list args;
    fflush(stdout);
    fprintf(stderr, "%s: ", program_invocation_name);
    va_start(args, format);
    gnu_message(status, number, format, args);
    va_end(args);
}

void error_at_line(int status, int number, const char *file, unsigned line, const char *format, ...)
{
    va_list args;
    fflush(stdout);
    fprintf(stderr, "%s:%s:%u: ", program_invocation_name, file, line);
    va_start(args, format);
    gnu_message(status, number, format, args);
    va_end(args);
}
