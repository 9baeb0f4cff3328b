/* Limits and use of resources. */
#include "../internal.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

int prlimit(pid_t pid, int resource, const struct rlimit *wanted, struct rlimit *old)
{
    return CALL(LIND_CALL_PRLIMIT64, INT(pid), SIZE(resource), POINTER(wanted), POINTER(old));
}

int getrlimit(int resource, struct rlimit *limit)
{
    if (resource < 0 || resource >= RLIMIT_NLIMITS) {
        errno = EINVAL;
        return -1;
    }
    return prlimit(0, resource, 0, limit);
}

int setrlimit(int resource, const struct rlimit *limit)
{
    return prlimit(0, resource, limit, 0);
}

/* Of a cage only the processor time is known. */
int getrusage(int who, struct rusage *usage)
{
    struct timespec used = {0, 0};
    if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD) {
        errno = EINVAL;
        return -1;
    }
    if (who != RUSAGE_CHILDREN && clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used))
        return -1;
    memset(usage, 0, sizeof *usage);
    usage->ru_utime = (struct timeval){used.tv_sec, used.tv_nsec / 1000};
    return 0;
}

int getpriority(int which, id_t who)
{
    (void)who;
    if (which >= PRIO_PROCESS && which <= PRIO_USER)
        return 0;
    errno = EINVAL;
    return -1;
}

int setpriority(int which, id_t who, int priority)
{
    if (getpriority(which, who))
        return -1;
    if (priority >= 0)
        return 0;
    errno = EACCES;
    return -1;
}
