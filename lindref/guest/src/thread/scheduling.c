/* Scheduling: one policy, one priority, one processor. */
#include "../internal.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

static int known(int policy)
{
    if (policy == SCHED_OTHER || policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_BATCH ||
        policy == SCHED_IDLE)
        return 1;
    errno = EINVAL;
    return 0;
}

int sched_get_priority_max(int policy)
{
    return !known(policy) ? -1 : policy == SCHED_FIFO || policy == SCHED_RR ? 99 : 0;
}

int sched_get_priority_min(int policy)
{
    return !known(policy) ? -1 : policy == SCHED_FIFO || policy == SCHED_RR ? 1 : 0;
}

int sched_getscheduler(pid_t pid)
{
    (void)pid;
    return SCHED_OTHER;
}

int sched_setscheduler(pid_t pid, int policy, const struct sched_param *parameters)
{
    (void)pid;
    if (!known(policy))
        return -1;
    if (policy != SCHED_OTHER || parameters->sched_priority) {
        errno = policy == SCHED_OTHER ? EINVAL : EPERM;
        return -1;
    }
    return 0;
}

int sched_getparam(pid_t pid, struct sched_param *parameters)
{
    (void)pid;
    parameters->sched_priority = 0;
    return 0;
}

int sched_setparam(pid_t pid, const struct sched_param *parameters)
{
    return sched_setscheduler(pid, SCHED_OTHER, parameters);
}

int sched_rr_get_interval(pid_t pid, struct timespec *interval)
{
    (void)pid;
    *interval = (struct timespec){0, 0};
    return 0;
}

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    (void)pid;
    memset(set, 0, size);
    if (size)
        set->__bits[0] = 1;
    return 0;
}

int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
    (void)pid;
    if (size >= 4 && set->__bits[0] & 1)
        return 0;
    errno = EINVAL;
    return -1;
}

int sched_getcpu(void)
{
    return 0;
}

int __lind_cpu_count(const cpu_set_t *set)
{
    int count = 0;
    for (size_t i = 0; i < LENGTH(set->__bits); i++)
        count += __builtin_popcountl(set->__bits[i]);
    return count;
}
