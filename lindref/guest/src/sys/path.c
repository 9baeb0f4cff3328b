/* Names in the file system. */
#include "../internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

int stat(const char *restrict path, struct stat *restrict status)
{
    return CALL(LIND_CALL_STAT, POINTER(path), POINTER(status));
}

int lstat(const char *restrict path, struct stat *restrict status)
{
    return CALL(LIND_CALL_LSTAT, POINTER(path), POINTER(status));
}

int fstat(int fd, struct stat *status)
{
    return CALL(LIND_CALL_FSTAT, INT(fd), POINTER(status));
}

int fstatat(int dir, const char *restrict path, struct stat *restrict status, int flags)
{
    return CALL(LIND_CALL_NEWFSTATAT, INT(dir), POINTER(path), POINTER(status), INT(flags));
}

int access(const char *path, int mode)
{
    return CALL(LIND_CALL_ACCESS, POINTER(path), INT(mode));
}

int faccessat(int dir, const char *path, int mode, int flags)
{
    return CALL(LIND_CALL_FACCESSAT, INT(dir), POINTER(path), INT(mode), INT(flags));
}

int euidaccess(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS);
}

int mkdir(const char *path, mode_t mode)
{
    return CALL(LIND_CALL_MKDIR, POINTER(path), SIZE(mode));
}

int rmdir(const char *path)
{
    return CALL(LIND_CALL_RMDIR, POINTER(path));
}

int mknod(const char *path, mode_t mode, dev_t device)
{
    return CALL(LIND_CALL_MKNOD, POINTER(path), SIZE(mode), device);
}

int mkfifo(const char *path, mode_t mode)
{
    return mknod(path, (mode & ~S_IFMT) | S_IFIFO, 0);
}

int link(const char *from, const char *to)
{
    return CALL(LIND_CALL_LINK, POINTER(from), POINTER(to));
}

int unlink(const char *path)
{
    return CALL(LIND_CALL_UNLINK, POINTER(path));
}

int unlinkat(int dir, const char *path, int flags)
{
    return CALL(LIND_CALL_UNLINKAT, INT(dir), POINTER(path), INT(flags));
}

int remove(const char *path)
{
    int saved = errno;
    if (unlink(path) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -1;
    errno = saved;
    return rmdir(path);
}

int rename(const char *from, const char *to)
{
    return CALL(LIND_CALL_RENAME, POINTER(from), POINTER(to));
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return CALL(LIND_CALL_RENAMEAT, INT(from_dir), POINTER(from), INT(to_dir), POINTER(to));
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return CALL(LIND_CALL_RENAMEAT2, INT(from_dir), POINTER(from), INT(to_dir), POINTER(to), SIZE(flags));
}

int symlink(const char *target, const char *path)
{
    return CALL(LIND_CALL_SYMLINK, POINTER(target), POINTER(path));
}

int symlinkat(const char *target, int dir, const char *path)
{
    return CALL(LIND_CALL_SYMLINKAT, POINTER(target), INT(dir), POINTER(path));
}

ssize_t readlink(const char *restrict path, char *restrict buffer, size_t size)
{
    return CALL(LIND_CALL_READLINK, POINTER(path), POINTER(buffer), SIZE(size));
}

ssize_t readlinkat(int dir, const char *restrict path, char *restrict buffer, size_t size)
{
    return CALL(LIND_CALL_READLINKAT, INT(dir), POINTER(path), POINTER(buffer), SIZE(size));
}

int chmod(const char *path, mode_t mode)
{
    return CALL(LIND_CALL_CHMOD, POINTER(path), SIZE(mode));
}

int fchmod(int fd, mode_t mode)
{
    return CALL(LIND_CALL_FCHMOD, INT(fd), SIZE(mode));
}

int fchmodat(int dir, const char *path, mode_t mode, int flags)
{
    return CALL(LIND_CALL_FCHMODAT, INT(dir), POINTER(path), SIZE(mode), INT(flags));
}

int chown(const char *path, uid_t user, gid_t group)
{
    return CALL(LIND_CALL_CHOWN, POINTER(path), SIZE(user), SIZE(group));
}

int lchown(const char *path, uid_t user, gid_t group)
{
    return CALL(LIND_CALL_LCHOWN, POINTER(path), SIZE(user), SIZE(group));
}

int fchownat(int dir, const char *path, uid_t user, gid_t group, int flags)
{
    return CALL(LIND_CALL_FCHOWNAT, INT(dir), POINTER(path), SIZE(user), SIZE(group), INT(flags));
}

int fchown(int fd, uid_t user, gid_t group)
{
    return fchownat(fd, "", user, group, AT_EMPTY_PATH);
}

/* Calls that the system does not have, done where they mean the same as one that it has. */

int mkdirat(int dir, const char *path, mode_t mode)
{
    if (dir == AT_FDCWD || *path == '/')
        return mkdir(path, mode);
    errno = ENOSYS;
    return -1;
}

int mknodat(int dir, const char *path, mode_t mode, dev_t device)
{
    if (dir == AT_FDCWD || *path == '/')
        return mknod(path, mode, device);
    errno = ENOSYS;
    return -1;
}

int mkfifoat(int dir, const char *path, mode_t mode)
{
    return mknodat(dir, path, (mode & ~S_IFMT) | S_IFIFO, 0);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    if ((from_dir == AT_FDCWD || *from == '/') && (to_dir == AT_FDCWD || *to == '/') && !flags)
        return link(from, to);
    errno = ENOSYS;
    return -1;
}

mode_t umask(mode_t mask)
{
    (void)mask;
    errno = ENOSYS;
    return (mode_t)-1;
}

int chdir(const char *path)
{
    return CALL(LIND_CALL_CHDIR, POINTER(path));
}

int fchdir(int fd)
{
    return CALL(LIND_CALL_FCHDIR, INT(fd));
}

char *getcwd(char *buffer, size_t size)
{
    char *own = 0;
    if (!buffer) {
        if (!size)
            size = 4096;
        buffer = own = malloc(size);
        if (!own)
            return 0;
    }
    if (CALL(LIND_CALL_GETCWD, POINTER(buffer), SIZE(size)) < 0) {
        free(own);
        return 0;
    }
    return buffer;
}

char *get_current_dir_name(void)
{
    return getcwd(0, 0);
}

int utimensat(int dir, const char *path, const struct timespec times[2], int flags)
{
    struct wire_timespec wire[2];
    for (int i = 0; times && i < 2; i++)
        wire[i] = (struct wire_timespec){times[i].tv_sec, times[i].tv_nsec};
    return CALL(LIND_CALL_UTIMENSAT, INT(dir), POINTER(path), POINTER(times ? wire : 0), INT(flags));
}

int futimens(int fd, const struct timespec times[2])
{
    return utimensat(fd, 0, times, 0);
}

int utimes(const char *path, const struct timeval times[2])
{
    struct timespec exact[2];
    for (int i = 0; times && i < 2; i++)
        exact[i] = (struct timespec){times[i].tv_sec, times[i].tv_usec * 1000};
    return utimensat(AT_FDCWD, path, times ? exact : 0, 0);
}

int futimes(int fd, const struct timeval times[2])
{
    struct timespec exact[2];
    for (int i = 0; times && i < 2; i++)
        exact[i] = (struct timespec){times[i].tv_sec, times[i].tv_usec * 1000};
    return futimens(fd, times ? exact : 0);
}
