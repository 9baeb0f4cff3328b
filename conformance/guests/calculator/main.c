/* Evaluates expressions, a line each: a recursive parser with errors that say where. */
#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *start, *at;
static jmp_buf failed;
static double variables[26];

static void fail(const char *what)
{
    printf("%s at %d\n", what, (int)(at - start));
    longjmp(failed, 1);
}

static double sum(void);

static int take(char c)
{
    while (isspace((unsigned char)*at))
        at++;
    if (*at != c)
        return 0;
    at++;
    return 1;
}

static double atom(void)
{
    if (take('(')) {
        double value = sum();
        if (!take(')'))
            fail("no )");
        return value;
    }
    if (take('-'))
        return -atom();
    if (isdigit((unsigned char)*at) || *at == '.') {
        char *end;
        double value = strtod(at, &end);
        at = end;
        return value;
    }
    if (isalpha((unsigned char)*at)) {
        char name[16];
        int length = 0;
        while (isalnum((unsigned char)*at) && length < 15)
            name[length++] = *at++;
        name[length] = 0;
        if (length == 1 && islower((unsigned char)*name))
            return variables[*name - 'a'];
        if (!take('('))
            fail("no (");
        double x = sum();
        if (!take(')'))
            fail("no )");
        if (!strcmp(name, "sqrt"))
            return sqrt(x);
        if (!strcmp(name, "abs"))
            return fabs(x);
        if (!strcmp(name, "floor"))
            return floor(x);
        fail("no such function");
    }
    fail(*at ? "unexpected" : "incomplete");
    return 0;
}

static double power(void)
{
    double base = atom();
    return take('^') ? pow(base, power()) : base;
}

static double product(void)
{
    double value = power();
    for (;;) {
        if (take('*')) {
            value *= power();
        } else if (take('/')) {
            double by = power();
            if (by == 0)
                fail("division by zero");
            value /= by;
        } else if (take('%')) {
            value = fmod(value, power());
        } else {
            return value;
        }
    }
}

static double sum(void)
{
    double value = product();
    for (;;) {
        if (take('+'))
            value += product();
        else if (take('-'))
            value -= product();
        else
            return value;
    }
}

int main(void)
{
    char line[200];
    int wrong = 0;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        start = at = line;
        if (setjmp(failed)) {
            wrong++;
            continue;
        }
        int target = -1;
        if (islower((unsigned char)line[0]) && line[1] == '=') {
            target = line[0] - 'a';
            at = line + 2;
        }
        double value = sum();
        take(' ');
        if (*at)
            fail("left over");
        if (target >= 0)
            variables[target] = value;
        printf("%.10g\n", value);
    }
    return wrong;
}
