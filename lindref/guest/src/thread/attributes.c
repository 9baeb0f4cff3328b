/* Thread attributes, names and scheduling: there is one policy and one priority. */
#include "thread.h"

#include <stdio.h>
#include <string.h>

int pthread_attr_init(pthread_attr_t *attributes)
{
    *attributes = (pthread_attr_t){.__guard_size = PAGE};
    return 0;
}

int pthread_attr_destroy(pthread_attr_t *attributes)
{
    (void)attributes;
    return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *attributes, int state)
{
    if (state != PTHREAD_CREATE_JOINABLE && state != PTHREAD_CREATE_DETACHED)
        return EINVAL;
    attributes->__detached = state;
    return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *attributes, int *state)
{
    *state = attributes->__detached;
    return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size)
{
    if (size < PTHREAD_STACK_MIN)
        return EINVAL;
    attributes->__stack_size = size;
    return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *restrict attributes, size_t *restrict size)
{
    *size = attributes->__stack_size ? attributes->__stack_size : DEFAULT_STACK;
    return 0;
}

int pthread_attr_setstack(pthread_attr_t *attributes, void *low, size_t size)
{
    if (size < PTHREAD_STACK_MIN)
        return EINVAL;
    attributes->__stack_low = low;
    attributes->__stack_size = size;
    return 0;
}

int pthread_attr_getstack(const pthread_attr_t *restrict attributes, void **restrict low, size_t *restrict size)
{
    *low = attributes->__stack_low;
    return pthread_attr_getstacksize(attributes, size);
}

int pthread_attr_setguardsize(pthread_attr_t *attributes, size_t size)
{
    attributes->__guard_size = size;
    return 0;
}

int pthread_attr_getguardsize(const pthread_attr_t *restrict attributes, size_t *restrict size)
{
    *size = attributes->__guard_size;
    return 0;
}

int pthread_attr_setscope(pthread_attr_t *attributes, int scope)
{
    (void)attributes;
    return scope == PTHREAD_SCOPE_SYSTEM ? 0 : scope == PTHREAD_SCOPE_PROCESS ? ENOTSUP : EINVAL;
}

int pthread_attr_getscope(const pthread_attr_t *restrict attributes, int *restrict scope)
{
    (void)attributes;
    *scope = PTHREAD_SCOPE_SYSTEM;
    return 0;
}

int pthread_attr_setinheritsched(pthread_attr_t *attributes, int inherit)
{
    if (inherit != PTHREAD_INHERIT_SCHED && inherit != PTHREAD_EXPLICIT_SCHED)
        return EINVAL;
    attributes->__spare[0] = inherit;
    return 0;
}

int pthread_attr_getinheritsched(const pthread_attr_t *restrict attributes, int *restrict inherit)
{
    *inherit = attributes->__spare[0];
    return 0;
}

int pthread_attr_setschedpolicy(pthread_attr_t *attributes, int policy)
{
    if (policy < SCHED_OTHER || policy > SCHED_RR)
        return EINVAL;
    attributes->__spare[1] = policy;
    return 0;
}

int pthread_attr_getschedpolicy(const pthread_attr_t *restrict attributes, int *restrict policy)
{
    *policy = attributes->__spare[1];
    return 0;
}

int pthread_attr_setschedparam(pthread_attr_t *restrict attributes, const struct sched_param *restrict parameters)
{
    attributes->__spare[2] = parameters->sched_priority;
    return 0;
}

int pthread_attr_getschedparam(const pthread_attr_t *restrict attributes, struct sched_param *restrict parameters)
{
    parameters->sched_priority = attributes->__spare[2];
    return 0;
}

int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
    struct thread *it = (struct thread *)(uintptr_t)thread;
    *attributes = (pthread_attr_t){.__stack_low = it->stack_low, .__stack_size = it->stack_size,
                                   .__detached = it->detached == DETACH_DETACHED,
                                   .__guard_size = it->mapping ? it->stack_low - it->mapping : 0};
    return 0;
}

int pthread_setname_np(pthread_t thread, const char *name)
{
    struct thread *it = (struct thread *)(uintptr_t)thread;
    if (strlen(name) >= sizeof it->name)
        return ERANGE;
    strcpy(it->name, name);
    return 0;
}

int pthread_getname_np(pthread_t thread, char *name, size_t size)
{
    struct thread *it = (struct thread *)(uintptr_t)thread;
    if (size < sizeof it->name)
        return ERANGE;
    strcpy(name, it->name);
    return 0;
}

int pthread_getconcurrency(void)
{
    return 0;
}

int pthread_setconcurrency(int level)
{
    return level < 0 ? EINVAL : 0;
}

int pthread_getcpuclockid(pthread_t thread, clockid_t *clock)
{
    if (thread != pthread_self())
        return ENOENT;
    *clock = CLOCK_THREAD_CPUTIME_ID;
    return 0;
}

int pthread_getschedparam(pthread_t thread, int *policy, struct sched_param *parameters)
{
    (void)thread;
    *policy = SCHED_OTHER;
    parameters->sched_priority = 0;
    return 0;
}

int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *parameters)
{
    (void)thread;
    if (policy < SCHED_OTHER || policy > SCHED_RR)
        return EINVAL;
    if (policy != SCHED_OTHER)
        return EPERM;
    return parameters->sched_priority ? EINVAL : 0;
}

int pthread_setschedprio(pthread_t thread, int priority)
{
    (void)thread;
    return priority ? EINVAL : 0;
}

int pthread_yield(void)
{
    return sched_yield();
}
