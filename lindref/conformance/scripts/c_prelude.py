"""What a script as C begins with: calls through the gate, or natively as Linux has them, and how steps are told.

What the program sees is told in lines, ``CAGE STEP = RESULT`` with `` xTRIES`` for what was tried several times and
`` :HEX`` for each piece of memory; ``scripts.printed`` reads them.
"""

from __future__ import annotations

#: The descriptor that lines go to where it is open, natively; else they go to standard error.
CHANNEL = 1500

BEGIN = """\
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAYBE __attribute__((unused)) static /* not every script needs all of this */
#define UNUSED 0xDEADBEEFDEADBEEFULL
#ifdef __wasm__
"""

GATE = """\
#include <lind_syscall.h>
#define LIND(name) __attribute__((import_module("lind"), import_name(name)))
LIND("lind-get-cage-id") uint64_t own_id(void);
LIND("lind-get-memory-base") uint64_t memory_base(void);

MAYBE uint64_t self(void) { return own_id(); } /* getpid is a call, which a grate may serve */
MAYBE uint64_t place(const void *p) { return p ? memory_base() + (uint32_t)(uintptr_t)p : 0; }
MAYBE unsigned char *address(int64_t guest) { return (unsigned char *)(uintptr_t)(uint32_t)guest; }
MAYBE int channel(void) { return 2; }
MAYBE int64_t call3i(uint64_t n, uint64_t me, uint64_t target, const uint64_t *a, const uint64_t *c)
{
    return make_threei_call(n, 0, me, target, a[0], c[0], a[1], c[1], a[2], c[2], a[3], c[3], a[4], c[4], a[5], c[5],
                            0);
}
MAYBE int64_t call(uint64_t n, const uint64_t *a)
{
    uint64_t me = self(), c[6] = {me, me, me, me, me, me};
    return call3i(n, me, me, a, c);
}
MAYBE void wait_for_parent(void) { usleep(20000); } /* its fork is to come back first: the runtime has a race there */
#else
"""

#: Natively, for x86-64: numbers, arguments and structures where Lind's calls have others than Linux's.
NATIVE = f"#define CHANNEL {CHANNEL}\n" + """\
#include <fcntl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#ifndef __x86_64__
#error "calls have the numbers of x86-64"
#endif

MAYBE uint64_t self(void) { return getpid(); }
MAYBE uint64_t place(const void *p) { return (uintptr_t)p; }
MAYBE unsigned char *address(int64_t guest) { return (unsigned char *)(uintptr_t)guest; }
MAYBE void wait_for_parent(void) { }
MAYBE int channel(void) { return fcntl(CHANNEL, F_GETFD) < 0 ? 2 : CHANNEL; }

/* Store a result where a call was told to, as the kernel does: -EFAULT where nothing can be stored. */
MAYBE int64_t put(uint64_t place, const void *data, size_t size)
{
    struct iovec from = {(void *)data, size}, to = {(void *)(uintptr_t)place, size};
    return process_vm_writev(getpid(), &from, 1, &to, 1, 0) == (ssize_t)size ? 0 : -EFAULT;
}
MAYBE int64_t put_stat(uint64_t place, const struct stat *s)
{
    struct {
        uint64_t dev, ino;
        uint32_t mode, nlink, uid, gid;
        uint64_t rdev;
        int64_t size;
        uint32_t blksize, blocks;
        struct timespec times[3];
    } out = {s->st_dev, s->st_ino, s->st_mode, s->st_nlink, s->st_uid, s->st_gid, s->st_rdev, s->st_size,
             s->st_blksize, s->st_blocks, {s->st_atim, s->st_mtim, s->st_ctim}};
    return put(place, &out, sizeof out);
}
MAYBE int64_t put_segment(uint64_t place, const struct shmid_ds *s)
{
    struct {
        uint32_t key, uid, gid, cuid, cgid;
        uint16_t mode, pad;
        uint32_t seq, more[2], size;
        int64_t times[3];
        uint32_t cpid, lpid, nattch, end;
    } out = {s->shm_perm.__key, s->shm_perm.uid, s->shm_perm.gid, s->shm_perm.cuid, s->shm_perm.cgid,
             s->shm_perm.mode, 0, s->shm_perm.__seq, {0, 0}, s->shm_segsz, {s->shm_atime, s->shm_dtime, s->shm_ctime},
             s->shm_cpid, s->shm_lpid, s->shm_nattch, 0};
    return put(place, &out, sizeof out);
}
MAYBE int64_t host_name(uint64_t place, uint64_t size)
{
    struct utsname names;
    uname(&names);
    size_t length = strlen(names.nodename) + 1;
    int64_t stored = put(place, names.nodename, length < size ? length : size);
    return stored ? stored : length > size ? -ENAMETOOLONG : 0;
}
MAYBE int64_t suspend(uint64_t mask, uint64_t place)
{
    uint64_t wanted, old, all = -1;
    struct iovec from = {(void *)(uintptr_t)mask, sizeof wanted}, to = {&wanted, sizeof wanted};
    if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != (ssize_t)sizeof wanted)
        return -EFAULT;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, 0, &old, sizeof old);
    int64_t stored = place ? put(place, &old, sizeof old) : 0;
    if (stored)
        return stored;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, 0, sizeof all); /* nothing comes between the two */
    syscall(SYS_rt_sigsuspend, &wanted, sizeof wanted);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &wanted, 0, sizeof wanted);
    return -EINTR;
}
MAYBE int64_t call(uint64_t n, const uint64_t *a)
{
    uint64_t v[6], place = 0;
    struct timespec limit;
    union {
        struct stat stat;
        struct shmid_ds segment;
    } found;
    for (int i = 0; i < 6; i++)
        v[i] = a[i] == UNUSED ? 0 : a[i];
    switch (n) {
    case 4: case 5: case 6: case 262: /* stat and its like */
        place = v[n == 262 ? 2 : 1];
        v[n == 262 ? 2 : 1] = (uintptr_t)&found;
        break;
    case 14: /* rt_sigprocmask: the size of a set is an argument */
        v[3] = 8;
        break;
    case 31: /* shmctl */
        if ((int)v[1] == IPC_STAT) {
            place = v[2];
            v[2] = (uintptr_t)&found;
        }
        break;
    case 35: /* clock_nanosleep */
        n = 230;
        break;
    case 72: /* fcntl: what locks is an argument of its own */
        if ((v[1] >= 5 && v[1] <= 7) || (v[1] >= 36 && v[1] <= 38))
            v[2] = v[3];
        break;
    case 78: /* getdents64 */
        n = 217;
        break;
    case 130: /* rt_sigsuspend: it tells the old mask, and the new one stays */
        return suspend(v[0], v[1]);
    case 170: /* gethostname */
        return host_name(v[0], v[1]);
    case 271: /* ppoll: milliseconds */
        limit = (struct timespec){(int)v[2] / 1000, (int)v[2] % 1000 * 1000000L};
        v[2] = (int)v[2] < 0 ? 0 : (uintptr_t)&limit;
        v[4] = 8;
        break;
    default:
        break;
    }
    long result = syscall((long)n, v[0], v[1], v[2], v[3], v[4], v[5]);
    if (result < 0)
        return -errno;
    if (n == 4 || n == 5 || n == 6 || n == 262)
        return put_stat(place, &found.stat);
    return n == 31 && (int)v[1] == IPC_STAT ? put_segment(place, &found.segment) : result;
}
#endif

"""

#: The program's memory, and ``show``; how many results there are says ``RESULTS``.
MEMORY = """\
MAYBE unsigned char buffer[15 * 8192 + 262144] __attribute__((aligned(4096)));
MAYBE int64_t result[RESULTS];
MAYBE int signals[1000];
MAYBE volatile int signal_count;

MAYBE uint64_t number(const unsigned char *at, int width)
{
    uint64_t value = 0;
    memcpy(&value, at, width);
    return value;
}

MAYBE char *decimal(char *end, int64_t value)
{
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char digits[24];
    int count = 0;
    do
        digits[count++] = '0' + left % 10;
    while (left /= 10);
    if (value < 0)
        *end++ = '-';
    while (count)
        *end++ = digits[--count];
    return end;
}

/* Tell what a step showed. No more of the library than writev, and not write: a grate may stand in the way of that. */
MAYBE void show(const char *step, int64_t value, int64_t tries, int count, const unsigned char *const *at,
                const int *length)
{
    size_t size = strlen(step) + 100;
    for (int i = 0; i < count; i++)
        size += 2 + 2 * (length[i] > 0 ? length[i] : 0);
    char line[size], *end = stpcpy(line, channel() == 2 ? "\\n" : ""); /* the script may have written there */
    end = decimal(end, self());
    end = stpcpy(stpcpy(stpcpy(end, " "), step), " = ");
    end = decimal(end, value);
    if (tries) {
        end = stpcpy(end, " x");
        end = decimal(end, tries);
    }
    for (int i = 0; i < count; i++) {
        end = stpcpy(end, " :");
        for (int k = 0; k < length[i]; k++) {
            *end++ = "0123456789abcdef"[at[i][k] >> 4];
            *end++ = "0123456789abcdef"[at[i][k] & 15];
        }
    }
    *end++ = '\\n';
    if (writev(channel(), &(struct iovec){.iov_base = line, .iov_len = end - line}, 1) != end - line)
        _exit(99);
}
"""

NOTED = """\
MAYBE int slots[65];

MAYBE void noted(int sig)
{
    signals[signal_count++] = sig;
    switch (slots[sig]) {
%s    default:
        break;
    }
    signals[signal_count++] = -sig;
}
"""

__all__ = ["BEGIN", "CHANNEL", "GATE", "MEMORY", "NATIVE", "NOTED"]
