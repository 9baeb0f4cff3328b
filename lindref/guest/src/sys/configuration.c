/* What the system is like: sysconf and its relatives. */
#include "../internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

long sysconf(int name)
{
    switch (name) {
    case _SC_ARG_MAX: return 2097152;
    case _SC_CHILD_MAX: return 2048;
    case _SC_CLK_TCK: return 100;
    case _SC_NGROUPS_MAX: return NGROUPS_MAX;
    case _SC_OPEN_MAX: return OPEN_MAX;
    case _SC_STREAM_MAX: return 16;
    case _SC_TZNAME_MAX: return 6;
    case _SC_JOB_CONTROL:
    case _SC_SAVED_IDS: return 1;
    case _SC_PAGESIZE: return 4096;
    case _SC_VERSION:
    case _SC_FSYNC:
    case _SC_MAPPED_FILES:
    case _SC_MEMORY_PROTECTION:
    case _SC_SEMAPHORES:
    case _SC_SHARED_MEMORY_OBJECTS:
    case _SC_THREADS:
    case _SC_THREAD_SAFE_FUNCTIONS:
    case _SC_THREAD_ATTR_STACKADDR:
    case _SC_THREAD_ATTR_STACKSIZE:
    case _SC_THREAD_PROCESS_SHARED:
    case _SC_MONOTONIC_CLOCK:
    case _SC_CLOCK_SELECTION:
    case _SC_READER_WRITER_LOCKS:
    case _SC_BARRIERS:
    case _SC_SPIN_LOCKS:
    case _SC_TIMEOUTS:
    case _SC_SYNCHRONIZED_IO:
    case _SC_CPUTIME:
    case _SC_THREAD_CPUTIME: return 200809;
    case _SC_XOPEN_VERSION: return 700;
    case _SC_SEM_VALUE_MAX: return SEM_VALUE_MAX;
    case _SC_IOV_MAX: return IOV_MAX;
    case _SC_LINE_MAX: return 2048;
    case _SC_RE_DUP_MAX: return 32767;
    case _SC_LOGIN_NAME_MAX: return LOGIN_NAME_MAX;
    case _SC_TTY_NAME_MAX: return TTY_NAME_MAX;
    case _SC_HOST_NAME_MAX: return HOST_NAME_MAX;
    case _SC_SYMLOOP_MAX: return -1;
    case _SC_THREAD_DESTRUCTOR_ITERATIONS: return PTHREAD_DESTRUCTOR_ITERATIONS;
    case _SC_THREAD_KEYS_MAX: return PTHREAD_KEYS_MAX;
    case _SC_THREAD_STACK_MIN: return PTHREAD_STACK_MIN;
    case _SC_THREAD_THREADS_MAX: return -1;
    case _SC_GETPW_R_SIZE_MAX:
    case _SC_GETGR_R_SIZE_MAX: return 1024;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN: return 1;
    case _SC_PHYS_PAGES:
    case _SC_AVPHYS_PAGES: return 1048576;
    case _SC_ATEXIT_MAX: return INT_MAX;
    case _SC_RTSIG_MAX: return 32;
    case _SC_CHAR_BIT: return CHAR_BIT;
    case _SC_CHAR_MAX: return CHAR_MAX;
    case _SC_CHAR_MIN: return CHAR_MIN;
    case _SC_INT_MAX: return INT_MAX;
    case _SC_INT_MIN: return INT_MIN;
    case _SC_LONG_BIT:
    case _SC_WORD_BIT: return 32;
    case _SC_SSIZE_MAX: return SSIZE_MAX;
    case _SC_NZERO: return NZERO;
    }
    if (name < 0 || name > _SC_SIGSTKSZ)
        errno = EINVAL;
    return -1;
}

static long of_file(int name)
{
    switch (name) {
    case _PC_LINK_MAX: return 127;
    case _PC_MAX_CANON:
    case _PC_MAX_INPUT: return 255;
    case _PC_NAME_MAX: return NAME_MAX;
    case _PC_PATH_MAX: return PATH_MAX;
    case _PC_PIPE_BUF: return PIPE_BUF;
    case _PC_CHOWN_RESTRICTED:
    case _PC_NO_TRUNC: return 1;
    case _PC_VDISABLE: return 0;
    }
    errno = EINVAL;
    return -1;
}

long pathconf(const char *path, int name)
{
    return access(path, F_OK) ? -1 : of_file(name);
}

long fpathconf(int fd, int name)
{
    return lseek(fd, 0, SEEK_CUR) < 0 && errno == EBADF ? -1 : of_file(name);
}

size_t confstr(int name, char *buffer, size_t size)
{
    static const char path[] = "/bin:/usr/bin";
    if (name != _CS_PATH) {
        errno = EINVAL;
        return 0;
    }
    if (size) {
        size_t length = size <= sizeof path ? size : sizeof path;
        memcpy(buffer, path, length);
        buffer[length - 1] = 0;
    }
    return sizeof path;
}

int getdtablesize(void)
{
    return OPEN_MAX;
}

int get_nprocs(void)
{
    return 1;
}

int get_nprocs_conf(void)
{
    return 1;
}

long gethostid(void)
{
    return 0;
}

int getdomainname(char *name, size_t size)
{
    if (size == 0) {
        errno = EINVAL;
        return -1;
    }
    *name = 0;
    return 0;
}

/* What the C library of the real system says. */
int uname(struct utsname *name)
{
    memset(name, 0, sizeof *name);
    strcpy(name->sysname, "Linux");
    strcpy(name->release, "unknown");
    strcpy(name->version, "unknown");
    strcpy(name->machine, "x86_64");
    return gethostname(name->nodename, sizeof name->nodename);
}

int getloadavg(double *averages, int count)
{
    for (int i = 0; i < count && i < 3; i++)
        averages[i] = 0;
    return count < 3 ? count : 3;
}
