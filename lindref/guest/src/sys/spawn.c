/* Starting programs: fork, what is to be done first, exec. The child says over a pipe why it could not. */
#include "../internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACTION_OPEN, ACTION_CLOSE, ACTION_DUP2 };

struct __lind_spawn_action {
    int kind, fd, to, flags;
    mode_t mode;
    char *path;
};

static int prepare(const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes)
{
    for (int number = 1; attributes && attributes->__flags & POSIX_SPAWN_SETSIGDEF && number < NSIG; number++)
        if (sigismember(&attributes->__defaults, number))
            signal(number, SIG_DFL);
    if (attributes && attributes->__flags & POSIX_SPAWN_SETSIGMASK)
        sigprocmask(SIG_SETMASK, &attributes->__mask, 0);
    for (int i = 0; actions && i < actions->__count; i++) {
        const struct __lind_spawn_action *it = &actions->__actions[i];
        int fd;
        switch (it->kind) {
        case ACTION_OPEN:
            fd = open(it->path, it->flags, it->mode);
            if (fd < 0)
                return -1;
            if (fd != it->fd) {
                if (dup2(fd, it->fd) < 0)
                    return -1;
                close(fd);
            }
            break;
        case ACTION_CLOSE:
            close(it->fd);
            break;
        default:
            if (it->fd == it->to ? fcntl(it->fd, F_SETFD, 0) : dup2(it->fd, it->to) < 0)
                return -1;
        }
    }
    return 0;
}

static int spawn(pid_t *pid, const char *name, int search, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    int fds[2], failed = 0;
    if (pipe2(fds, O_CLOEXEC))
        return errno;
    pid_t child = fork();
    if (child == 0) {
        /* The pipe has to stay out of the way of the descriptors that the actions make. */
        int report = fcntl(fds[1], F_DUPFD_CLOEXEC, 100);
        close(fds[0]);
        close(fds[1]);
        if (!prepare(actions, attributes)) {
            if (search)
                execvpe(name, argv, envp);
            else
                execve(name, argv, envp);
        }
        failed = errno;
        write(report, &failed, sizeof failed);
        _exit(127);
    }
    if (child < 0)
        failed = errno;
    close(fds[1]);
    if (child > 0 && read(fds[0], &failed, sizeof failed) > 0)
        waitpid(child, 0, 0);
    else if (child > 0)
        failed = 0;
    close(fds[0]);
    if (!failed && pid)
        *pid = child;
    return failed;
}

int posix_spawn(pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *restrict attributes, char *const argv[restrict], char *const envp[restrict])
{
    return spawn(pid, path, 0, actions, attributes, argv, envp);
}

int posix_spawnp(pid_t *restrict pid, const char *restrict file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *restrict attributes, char *const argv[restrict], char *const envp[restrict])
{
    return spawn(pid, file, 1, actions, attributes, argv, envp);
}

int posix_spawnattr_init(posix_spawnattr_t *attributes)
{
    memset(attributes, 0, sizeof *attributes);
    return 0;
}

int posix_spawnattr_destroy(posix_spawnattr_t *attributes)
{
    (void)attributes;
    return 0;
}

int posix_spawnattr_setflags(posix_spawnattr_t *attributes, short flags)
{
    attributes->__flags = flags;
    return 0;
}

int posix_spawnattr_getflags(const posix_spawnattr_t *restrict attributes, short *restrict flags)
{
    *flags = attributes->__flags;
    return 0;
}

int posix_spawnattr_setsigmask(posix_spawnattr_t *restrict attributes, const sigset_t *restrict mask)
{
    attributes->__mask = *mask;
    return 0;
}

int posix_spawnattr_setsigdefault(posix_spawnattr_t *restrict attributes, const sigset_t *restrict set)
{
    attributes->__defaults = *set;
    return 0;
}

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions)
{
    *actions = (posix_spawn_file_actions_t){0, 0, 0};
    return 0;
}

int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
{
    for (int i = 0; i < actions->__count; i++)
        free(actions->__actions[i].path);
    free(actions->__actions);
    return 0;
}

static int add(posix_spawn_file_actions_t *actions, struct __lind_spawn_action action)
{
    if (action.fd < 0 || action.to < 0)
        return EBADF;
    struct __lind_spawn_action *more = realloc(actions->__actions, (actions->__count + 1) * sizeof *more);
    if (!more)
        return ENOMEM;
    actions->__actions = more;
    more[actions->__count++] = action;
    return 0;
}

int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *restrict actions, int fd, const char *restrict path,
                                     int flags, mode_t mode)
{
    char *copy = strdup(path);
    return copy ? add(actions, (struct __lind_spawn_action){ACTION_OPEN, fd, 0, flags, mode, copy}) : ENOMEM;
}

int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *actions, int fd)
{
    return add(actions, (struct __lind_spawn_action){.kind = ACTION_CLOSE, .fd = fd});
}

int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int fd, int to)
{
    return add(actions, (struct __lind_spawn_action){.kind = ACTION_DUP2, .fd = fd, .to = to});
}
