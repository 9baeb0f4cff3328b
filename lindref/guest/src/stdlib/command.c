/* Running commands with the shell, where the root has one. */
#include "../internal.h"

#include "../stdio/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void shell(const char *command)
{
    execl("/bin/sh", "sh", "-c", command, (char *)0);
    _exit(127);
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

int system(const char *command)
{
    struct sigaction ignored = {.sa_flags = 0}, interrupt, quit;
    sigset_t child, mask;
    if (!command)
        return access("/bin/sh", X_OK) == 0;
    ignored.sa_handler = SIG_IGN;
    sigaction(SIGINT, &ignored, &interrupt);
    sigaction(SIGQUIT, &ignored, &quit);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &mask);
    pid_t pid = fork();
    if (pid == 0) {
        sigaction(SIGINT, &interrupt, 0);
        sigaction(SIGQUIT, &quit, 0);
        sigprocmask(SIG_SETMASK, &mask, 0);
        shell(command);
    }
    int status = pid < 0 ? -1 : wait_for(pid), saved = errno;
    sigaction(SIGINT, &interrupt, 0);
    sigaction(SIGQUIT, &quit, 0);
    sigprocmask(SIG_SETMASK, &mask, 0);
    errno = saved;
    return status;
}

FILE *popen(const char *command, const char *mode)
{
    int fds[2], reading = *mode == 'r';
    if ((*mode != 'r' && *mode != 'w') || (mode[1] && strcmp(mode + 1, "e"))) {
        errno = EINVAL;
        return 0;
    }
    if (pipe2(fds, O_CLOEXEC))
        return 0;
    int mine = fds[!reading], its = fds[reading];
    FILE *file = fdopen(mine, reading ? "r" : "w");
    pid_t pid = file ? fork() : -1;
    if (pid == 0) {
        if (its == reading)
            fcntl(its, F_SETFD, 0);
        else
            dup2(its, reading);
        shell(command);
    }
    int saved = errno;
    close(its);
    if (pid < 0) {
        if (file)
            fclose(file);
        else
            close(mine);
        errno = saved;
        return 0;
    }
    if (!mode[1])
        fcntl(mine, F_SETFD, 0);
    file->child = pid;
    return file;
}

int pclose(FILE *file)
{
    pid_t pid = file->child;
    fclose(file);
    return wait_for(pid);
}
