/* Non-local jumps: out of deep calls, again and again, nested, out of a signal handler, as exceptions. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static jmp_buf top, inner;
static sigjmp_buf from_handler;

static void __attribute__((noinline)) dive(int depth, int value)
{
    char space[64];
    memset(space, depth, sizeof space);
    if (depth == 0)
        longjmp(top, value);
    dive(depth - 1, value);
    printf("not reached %d\n", space[0]);
}

static int __attribute__((noinline)) parse(const char *text, const char **error, jmp_buf fail)
{
    int value = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') {
            *error = text;
            longjmp(fail, 1);
        }
        value = value * 10 + *text - '0';
    }
    return value;
}

static int careful(const char *text)
{
    jmp_buf fail;
    const char *volatile error = NULL;
    if (setjmp(fail)) {
        printf("stopped at '%s'\n", error);
        return -1;
    }
    return parse(text, (const char **)&error, fail);
}

static void two_levels(int which)
{
    jmp_buf here;
    switch (setjmp(here)) {
    case 0:
        if (which == 2)
            longjmp(top, 20);
        longjmp(here, which + 1);
    case 1:
        printf("inner, first\n");
        break;
    case 2:
        printf("inner, second\n");
        longjmp(top, 10);
    }
}

static void handler(int number)
{
    siglongjmp(from_handler, number);
}

int main(void)
{
    volatile int count = 0;
    int value = setjmp(top);
    printf("value %d, count %d\n", value, count);
    if (value < 4) {
        count++;
        dive(20, value + 1);
    }
    switch (setjmp(top)) {
    case 0: dive(3, 0); break;
    case 1: printf("longjmp with 0 gives 1\n"); break;
    default: printf("?\n");
    }
    printf("%d %d %d\n", careful("123"), careful("12x4"), careful("77"));

    for (volatile int which = 0; which < 3; which++) {
        int code = setjmp(top);
        if (code == 0)
            two_levels(which);
        printf("which %d: %d\n", which, code);
    }

    sigset_t set;
    signal(SIGUSR1, handler);
    for (volatile int i = 0; i < 3; i++) {
        int code = sigsetjmp(from_handler, 1);
        if (code == 0) {
            kill(getpid(), SIGUSR1);
            for (;;)
                ;
        }
        sigprocmask(SIG_BLOCK, NULL, &set);
        printf("from the handler: %d, blocked %d\n", code, sigismember(&set, SIGUSR1));
    }
    if (_setjmp(top) == 0)
        _longjmp(top, 5);
    int total = 0;
    for (volatile int i = 0; i < 200; i++) {
        if (setjmp(inner) == 0)
            longjmp(inner, 1);
        total++;
    }
    printf("%d jumps\n", total);
    return 0;
}
