/* Abnormal ends: abort, assert. */
#include "../internal.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A handler of SIGABRT runs and may jump away; if it returns, the signal ends the process all the same. */
_Noreturn void abort(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGABRT);
    sigprocmask(SIG_UNBLOCK, &set, 0);
    raise(SIGABRT);
    signal(SIGABRT, SIG_DFL);
    raise(SIGABRT);
    __builtin_trap();
}

_Noreturn void __assert_fail(const char *condition, const char *file, unsigned line, const char *function)
{
    fprintf(stderr, "%s%s%s:%u: %s%sAssertion `%s' failed.\n", program_invocation_short_name,
            *program_invocation_short_name ? ": " : "", file, line, function ? function : "", function ? ": " : "",
            condition);
    fflush(stdout);
    abort();
}
