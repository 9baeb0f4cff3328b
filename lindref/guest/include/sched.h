/* POSIX: scheduling. */
#ifndef _SCHED_H
#define _SCHED_H

#include <features.h>
#include <bits/alltypes.h>

__BEGIN_DECLS

#define CLONE_NEWTIME 128
#define CLONE_VM 256
#define CLONE_FS 512
#define CLONE_FILES 1024
#define CLONE_SIGHAND 2048
#define CLONE_PIDFD 4096
#define CLONE_PTRACE 8192
#define CLONE_VFORK 16384
#define CLONE_PARENT 32768
#define CLONE_THREAD 65536
#define CLONE_NEWNS 131072
#define CLONE_SYSVSEM 262144
#define CLONE_SETTLS 524288
#define CLONE_PARENT_SETTID 1048576
#define CLONE_CHILD_CLEARTID 2097152
#define CLONE_CHILD_SETTID 16777216
#define CLONE_DETACHED 4194304
#define CLONE_UNTRACED 8388608
#define CLONE_NEWCGROUP 33554432
#define CLONE_NEWUTS 67108864
#define CLONE_NEWIPC 134217728
#define CLONE_NEWUSER 268435456
#define CLONE_NEWPID 536870912
#define CLONE_NEWNET 1073741824
#define CLONE_IO 2147483648U
#define SCHED_OTHER 0
#define SCHED_FIFO 1
#define SCHED_RR 2
#define SCHED_BATCH 3
#define SCHED_IDLE 5
#define CPU_SETSIZE 1024

struct sched_param {
    int sched_priority;
};

/* 128 bytes. */
typedef struct {
    unsigned long __bits[CPU_SETSIZE / 32];
} cpu_set_t;
#define CPU_ZERO(set) __builtin_memset(set, 0, sizeof(cpu_set_t))
#define CPU_SET(cpu, set) ((void)((set)->__bits[(cpu) / 32] |= 1UL << (cpu) % 32))
#define CPU_CLR(cpu, set) ((void)((set)->__bits[(cpu) / 32] &= ~(1UL << (cpu) % 32)))
#define CPU_ISSET(cpu, set) (((set)->__bits[(cpu) / 32] >> (cpu) % 32 & 1) != 0)
#define CPU_COUNT(set) __lind_cpu_count(set)
int __lind_cpu_count(const cpu_set_t *set);

int sched_yield(void);
int sched_get_priority_max(int policy);
int sched_get_priority_min(int policy);
int sched_getscheduler(pid_t pid);
int sched_setscheduler(pid_t pid, int policy, const struct sched_param *parameters);
int sched_getparam(pid_t pid, struct sched_param *parameters);
int sched_setparam(pid_t pid, const struct sched_param *parameters);
int sched_rr_get_interval(pid_t pid, struct timespec *interval);
int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set);
int sched_getcpu(void);

__END_DECLS

#endif
