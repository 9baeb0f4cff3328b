/* Who runs the program. A cage has the users and groups it began with; changing to the same one is allowed, any other
 * is not. Process groups and sessions are the cage's own. */
#include "../internal.h"

#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

static int only(uid_t wanted, uid_t have)
{
    if (wanted == have)
        return 0;
    errno = EPERM;
    return -1;
}

int setuid(uid_t user)
{
    return only(user, getuid());
}

int seteuid(uid_t user)
{
    return only(user, geteuid());
}

int setgid(gid_t group)
{
    return only(group, getgid());
}

int setegid(gid_t group)
{
    return only(group, getegid());
}

int setreuid(uid_t real, uid_t effective)
{
    return (real != (uid_t)-1 && only(real, getuid())) || (effective != (uid_t)-1 && only(effective, geteuid())) ? -1 : 0;
}

int setregid(gid_t real, gid_t effective)
{
    return (real != (gid_t)-1 && only(real, getgid())) || (effective != (gid_t)-1 && only(effective, getegid())) ? -1 : 0;
}

int getresuid(uid_t *real, uid_t *effective, uid_t *saved)
{
    *real = getuid();
    *effective = *saved = geteuid();
    return 0;
}

int getresgid(gid_t *real, gid_t *effective, gid_t *saved)
{
    *real = getgid();
    *effective = *saved = getegid();
    return 0;
}

int getgroups(int size, gid_t *groups)
{
    (void)size, (void)groups;
    return 0;
}

pid_t getsid(pid_t pid)
{
    return getpgid(pid);
}

pid_t setsid(void)
{
    return getpid();
}

int setpgid(pid_t pid, pid_t group)
{
    pid_t self = getpid();
    if ((pid == 0 || pid == self) && (group == 0 || group == self))
        return 0;
    errno = EPERM;
    return -1;
}

int setpgrp(void)
{
    return setpgid(0, 0);
}

/* The first thread's id is the cage's; another one's is told apart from any cage's. */
pid_t gettid(void)
{
    int tid = __lind_self()->tid;
    return tid == 1 ? getpid() : (getpid() << 16) + tid;
}

char *getlogin(void)
{
    return getenv("LOGNAME");
}

int getlogin_r(char *name, size_t size)
{
    const char *login = getlogin();
    if (!login)
        return ENXIO;
    if (strlen(login) >= size)
        return ERANGE;
    strcpy(name, login);
    return 0;
}

int nice(int increment)
{
    if (increment >= 0)
        return 0;
    errno = EPERM;
    return -1;
}
