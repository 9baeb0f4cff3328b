/* Processes: fork, exec, wait, identity. */
#include "../internal.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((weak)) void __lind_fork_handlers(int when)
{
    (void)when;
}

/* One call that returns twice. The child is another cage: it has to learn its id and its address anew. */
pid_t fork(void)
{
    uint64_t arguments[11] = {0};
    arguments[4] = SIGCHLD; /* exit_signal */
    __lind_fork_handlers(FORK_BEFORE);
    int result = CALL(LIND_CALL_CLONE, POINTER(arguments));
    if (result == 0) {
        __lind_learn_identity();
        __lind_live_threads = 1;
        __lind_self()->tid = 1; /* whichever thread it was, here it is the first */
    }
    __lind_fork_handlers(result == 0 ? FORK_CHILD : FORK_PARENT);
    return result;
}

/* Sharing memory with a suspended parent cannot be done; POSIX allows vfork to be fork. */
pid_t vfork(void)
{
    return fork();
}

static size_t length_of(char *const *list)
{
    size_t length = 0;
    while (list && list[length])
        length++;
    return length;
}

static uint64_t *translated(uint64_t *to, char *const *list, size_t length)
{
    for (size_t i = 0; i < length; i++)
        to[i] = POINTER(list[i]);
    to[length] = 0;
    return to;
}

/* The system wants arrays of 64-bit addresses. */
int execve(const char *path, char *const argv[], char *const envp[])
{
    size_t arguments = length_of(argv), variables = length_of(envp);
    uint64_t *wire = malloc((arguments + variables + 2) * sizeof *wire);
    if (!wire)
        return -1;
    translated(wire, argv, arguments);
    translated(wire + arguments + 1, envp, variables);
    int result = CALL(LIND_CALL_EXECVE, POINTER(path), POINTER(wire), POINTER(wire + arguments + 1));
    free(wire);
    return result;
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    return CALL(LIND_CALL_WAIT4, INT(pid), POINTER(status), INT(options));
}

pid_t wait(int *status)
{
    return waitpid(-1, status, 0);
}

pid_t wait3(int *status, int options, struct rusage *usage)
{
    (void)usage;
    return waitpid(-1, status, options);
}

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    (void)usage;
    return waitpid(pid, status, options);
}

pid_t getpid(void)
{
    return CALL0(LIND_CALL_GETPID);
}

pid_t getppid(void)
{
    return CALL0(LIND_CALL_GETPPID);
}

pid_t getpgid(pid_t pid)
{
    return CALL(LIND_CALL_GETPGID, INT(pid));
}

pid_t getpgrp(void)
{
    return getpgid(0);
}

uid_t getuid(void)
{
    return CALL0(LIND_CALL_GETUID);
}

uid_t geteuid(void)
{
    return CALL0(LIND_CALL_GETEUID);
}

gid_t getgid(void)
{
    return CALL0(LIND_CALL_GETGID);
}

gid_t getegid(void)
{
    return CALL0(LIND_CALL_GETEGID);
}

int sched_yield(void)
{
    return CALL0(LIND_CALL_SCHED_YIELD);
}

int gethostname(char *name, size_t size)
{
    return CALL(LIND_CALL_GETHOSTNAME, POINTER(name), SIZE(size));
}
