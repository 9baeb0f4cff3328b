/* The system types, in the sizes of the guest ABI: i386-like, with 32-bit off_t and time_t. */
#ifndef _BITS_ALLTYPES_H
#define _BITS_ALLTYPES_H

#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;
typedef int pid_t;
typedef unsigned id_t;
typedef unsigned uid_t;
typedef unsigned gid_t;
typedef unsigned mode_t;
typedef unsigned long nlink_t;
typedef unsigned long long dev_t;
typedef unsigned long ino_t;
typedef unsigned long long ino64_t;
typedef long off_t;
typedef long long off64_t;
typedef long long loff_t;
typedef long blksize_t;
typedef long blkcnt_t;
typedef unsigned long fsblkcnt_t;
typedef unsigned long fsfilcnt_t;
typedef long time_t;
typedef long suseconds_t;
typedef unsigned long useconds_t;
typedef long clock_t;
typedef int clockid_t;
typedef int timer_t;
typedef int key_t;
typedef unsigned socklen_t;
typedef unsigned short sa_family_t;
typedef unsigned long pthread_t;

/* 16 bytes: the high halves are padding, so that the two 64-bit words which the system writes land well. */
struct timespec {
    time_t tv_sec;
    int : 32;
    long tv_nsec;
    int : 32;
};

struct timeval {
    time_t tv_sec;
    suseconds_t tv_usec;
};

/* 16 bytes, with padding where the system has the high half of a pointer or size. */
struct iovec {
    void *iov_base;
    int : 32;
    size_t iov_len;
    int : 32;
};

typedef struct {
    unsigned long __bits[32];
} sigset_t;

#endif
