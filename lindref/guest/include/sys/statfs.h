/* File system status, as the system writes it. */
#ifndef _SYS_STATFS_H
#define _SYS_STATFS_H

#include <features.h>
#include <bits/alltypes.h>

__BEGIN_DECLS

typedef struct {
    int __val[2];
} fsid_t;

/* 112 bytes. */
struct statfs {
    long f_type;
    int : 32;
    long f_bsize;
    int : 32;
    unsigned long long f_blocks, f_bfree, f_bavail, f_files, f_ffree;
    fsid_t f_fsid;
    long f_namelen;
    int : 32;
    long f_frsize;
    int : 32;
    long f_spare[8];
};

int statfs(const char *path, struct statfs *status);
int fstatfs(int fd, struct statfs *status);

__END_DECLS

#endif
