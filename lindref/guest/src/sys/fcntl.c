/* fcntl: integers travel in the third place, pointers in the fourth. Record locks travel in the system's 32-byte
 * shape, whatever shape the program has. */
#include "../internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

struct wire_flock {
    int16_t type, whence;
    int64_t start, length;
    int32_t pid;
    int32_t spare;
};
_Static_assert(sizeof(struct wire_flock) == 32, "as the system reads it");

static int lock_call(int fd, int command, struct wire_flock *lock)
{
    return CALL(LIND_CALL_FCNTL, INT(fd), INT(command), 0, POINTER(lock));
}

static int lock_small(int fd, int command, struct flock *lock)
{
    struct wire_flock wire = {lock->l_type, lock->l_whence, lock->l_start, lock->l_len, lock->l_pid, 0};
    int result = lock_call(fd, command, &wire);
    if (result == 0 && command == F_GETLK)
        *lock = (struct flock){wire.type, wire.whence, wire.start, wire.length, wire.pid};
    return result;
}

static int lock_large(int fd, int command, struct flock64 *lock)
{
    struct wire_flock wire = {lock->l_type, lock->l_whence, lock->l_start, lock->l_len, lock->l_pid, 0};
    int result = lock_call(fd, command, &wire);
    if (result == 0 && command == F_GETLK)
        *lock = (struct flock64){wire.type, wire.whence, wire.start, wire.length, wire.pid};
    return result;
}

int fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    uintptr_t argument = va_arg(args, uintptr_t);
    va_end(args);
    switch (command) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
        return lock_small(fd, command, (struct flock *)argument);
    case F_GETLK64:
    case F_SETLK64:
    case F_SETLKW64:
        return lock_large(fd, command - F_GETLK64 + F_GETLK, (struct flock64 *)argument);
    case F_GETFD:
    case F_GETFL:
    case F_GETOWN:
    case F_GETPIPE_SZ:
    case F_GET_SEALS:
        return CALL(LIND_CALL_FCNTL, INT(fd), INT(command), 0, 0);
    default:
        return CALL(LIND_CALL_FCNTL, INT(fd), INT(command), INT((int)argument), 0);
    }
}

int lockf(int fd, int command, off_t length)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_len = length};
    switch (command) {
    case F_ULOCK:
        lock.l_type = F_UNLCK;
        return fcntl(fd, F_SETLK, &lock);
    case F_LOCK:
        return fcntl(fd, F_SETLKW, &lock);
    case F_TLOCK:
        return fcntl(fd, F_SETLK, &lock);
    case F_TEST:
        if (fcntl(fd, F_GETLK, &lock))
            return -1;
        if (lock.l_type == F_UNLCK || lock.l_pid == getpid())
            return 0;
        errno = EACCES;
        return -1;
    }
    errno = EINVAL;
    return -1;
}
