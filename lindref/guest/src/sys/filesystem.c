/* Status of file systems, and extended attributes. */
#include "../internal.h"

#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

_Static_assert(sizeof(struct statfs) == 112, "as the system writes it");

int statfs(const char *path, struct statfs *status)
{
    return CALL(LIND_CALL_STATFS, POINTER(path), POINTER(status));
}

int fstatfs(int fd, struct statfs *status)
{
    return CALL(LIND_CALL_FSTATFS, INT(fd), POINTER(status));
}

static int shorter(struct statvfs *to, const struct statfs *from)
{
    memset(to, 0, sizeof *to);
    to->f_bsize = from->f_bsize;
    to->f_frsize = from->f_frsize ? from->f_frsize : from->f_bsize;
    to->f_blocks = from->f_blocks;
    to->f_bfree = from->f_bfree;
    to->f_bavail = from->f_bavail;
    to->f_files = from->f_files;
    to->f_ffree = to->f_favail = from->f_ffree;
    to->f_fsid = from->f_fsid.__val[0];
    to->f_namemax = from->f_namelen;
    to->f_type = from->f_type;
    return 0;
}

int statvfs(const char *restrict path, struct statvfs *restrict status)
{
    struct statfs from;
    return statfs(path, &from) ? -1 : shorter(status, &from);
}

int fstatvfs(int fd, struct statvfs *status)
{
    struct statfs from;
    return fstatfs(fd, &from) ? -1 : shorter(status, &from);
}

int setxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
    return CALL(LIND_CALL_SETXATTR, POINTER(path), POINTER(name), POINTER(value), SIZE(size), INT(flags));
}

ssize_t listxattr(const char *path, char *list, size_t size)
{
    return CALL(LIND_CALL_LISTXATTR, POINTER(path), POINTER(list), SIZE(size));
}
