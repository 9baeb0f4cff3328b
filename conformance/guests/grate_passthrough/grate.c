/* Every call of the child comes here first and goes on to what is beneath, arguments unchanged. The child must not be
 * able to tell, and neither must its own children. */
#include "../launch.h"

LIND_GRATE_ENTRY

/* A handler is not told which call it serves, so each call has one of its own. */
#define EACH_CALL(X)                                                                                                 \
    X(READ) X(WRITE) X(OPEN) X(CLOSE) X(STAT) X(FSTAT) X(LSTAT) X(POLL) X(LSEEK) X(MMAP) X(MPROTECT) X(MUNMAP)        \
    X(BRK) X(RT_SIGACTION) X(RT_SIGPROCMASK) X(IOCTL) X(PREAD64) X(PWRITE64) X(READV) X(WRITEV) X(ACCESS) X(PIPE)     \
    X(SELECT) X(SCHED_YIELD) X(SHMGET) X(SHMAT) X(SHMCTL) X(DUP) X(DUP2) X(CLOCK_NANOSLEEP) X(SETITIMER) X(GETPID)    \
    X(SOCKET) X(CONNECT) X(ACCEPT) X(SENDTO) X(RECVFROM) X(SENDMSG) X(RECVMSG) X(SHUTDOWN) X(BIND) X(LISTEN)          \
    X(GETSOCKNAME) X(GETPEERNAME) X(SOCKETPAIR) X(SETSOCKOPT) X(GETSOCKOPT) X(CLONE) X(EXECVE) X(EXIT) X(WAIT4)       \
    X(KILL) X(SHMDT) X(FCNTL) X(FLOCK) X(FSYNC) X(FDATASYNC) X(TRUNCATE) X(FTRUNCATE) X(GETDENTS64) X(GETCWD)         \
    X(CHDIR) X(FCHDIR) X(RENAME) X(MKDIR) X(RMDIR) X(LINK) X(UNLINK) X(SYMLINK) X(READLINK) X(CHMOD) X(FCHMOD)        \
    X(CHOWN) X(LCHOWN) X(GETUID) X(GETGID) X(GETEUID) X(GETEGID) X(GETPPID) X(GETPGID) X(RT_SIGSUSPEND) X(MKNOD)      \
    X(STATFS) X(FSTATFS) X(GETHOSTNAME) X(SETXATTR) X(LISTXATTR) X(FUTEX) X(EPOLL_CREATE) X(CLOCK_GETTIME)            \
    X(EXIT_GROUP) X(EPOLL_WAIT) X(EPOLL_CTL) X(OPENAT) X(FCHOWNAT) X(NEWFSTATAT) X(UNLINKAT) X(RENAMEAT)              \
    X(SYMLINKAT) X(READLINKAT) X(FCHMODAT) X(FACCESSAT) X(PPOLL) X(SYNC_FILE_RANGE) X(UTIMENSAT) X(ACCEPT4)           \
    X(EPOLL_CREATE1) X(DUP3) X(PIPE2) X(PREADV) X(PWRITEV) X(PRLIMIT64) X(RENAMEAT2) X(GETRANDOM) X(COPY_FILE_RANGE)

#define DEFINE(name)                                                                                                 \
    static int pass_##name(LIND_HANDLER_PARAMS)                                                                      \
    {                                                                                                                \
        return lind_forward(LIND_CALL_##name);                                                                       \
    }
EACH_CALL(DEFINE)

#define ROW(name) {LIND_CALL_##name, pass_##name},
static const struct {
    int number;
    lind_handler handler;
} rows[] = {EACH_CALL(ROW)};

static void interpose(uint64_t child, uint64_t grate)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        register_handler(child, rows[i].number, grate, LIND_HANDLER(rows[i].handler));
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
