/* POSIX: what the kinds of inter-process communication share. */
#ifndef _SYS_IPC_H
#define _SYS_IPC_H

#include <features.h>
#include <bits/alltypes.h>

__BEGIN_DECLS

#define IPC_CREAT 512
#define IPC_EXCL 1024
#define IPC_NOWAIT 2048
#define IPC_RMID 0
#define IPC_SET 1
#define IPC_STAT 2
#define IPC_INFO 3
#define IPC_PRIVATE ((key_t)0)

/* 36 bytes. */
struct ipc_perm {
    key_t __key;
    uid_t uid;
    gid_t gid;
    uid_t cuid;
    gid_t cgid;
    unsigned short mode;
    unsigned short __padding;
    unsigned short __seq;
    unsigned short __padding2;
    unsigned long __reserved[2];
};

key_t ftok(const char *path, int project);

__END_DECLS

#endif
