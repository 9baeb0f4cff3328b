/* The family of exec: searching a path, and arguments as a list. */
#include "../internal.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

int execvpe(const char *file, char *const argv[], char *const envp[])
{
    char path[PATH_MAX + NAME_MAX + 2];
    if (!*file) {
        errno = ENOENT;
        return -1;
    }
    if (strchr(file, '/'))
        return execve(file, argv, envp);
    size_t length = strlen(file);
    if (length > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    const char *search = getenv("PATH");
    if (!search)
        search = "/bin:/usr/bin";
    int refused = 0;
    for (const char *at = search, *end;; at = end + 1) {
        end = strchrnul(at, ':');
        if ((size_t)(end - at) < PATH_MAX) {
            memcpy(path, at, end - at);
            path[end - at] = '/';
            memcpy(path + (end - at) + (end > at), file, length + 1);
            execve(path, argv, envp);
            if (errno == EACCES)
                refused = 1;
            else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE && errno != ENODEV && errno != ETIMEDOUT)
                return -1;
        }
        if (!*end)
            break;
    }
    if (refused)
        errno = EACCES;
    return -1;
}

int execvp(const char *file, char *const argv[])
{
    return execvpe(file, argv, environ);
}

int fexecve(int fd, char *const argv[], char *const envp[])
{
    char path[32] = "/proc/self/fd/", *at = path + 14, digits[12];
    int count = 0;
    if (fd < 0 || !argv) {
        errno = EINVAL;
        return -1;
    }
    do
        digits[count++] = '0' + fd % 10;
    while (fd /= 10);
    while (count)
        *at++ = digits[--count];
    *at = 0;
    return execve(path, argv, envp);
}

/* The list that follows `first`, as an array on the stack of the caller's function. */
#define COLLECT(first)                                                     \
    va_list args;                                                          \
    int count = 1;                                                         \
    va_start(args, first);                                                 \
    while (va_arg(args, char *))                                           \
        count++;                                                           \
    va_end(args);                                                          \
    char *argv[count + 1];                                                 \
    va_start(args, first);                                                 \
    argv[0] = (char *)first;                                               \
    for (int i = 1; i <= count; i++)                                       \
        argv[i] = va_arg(args, char *)

int execl(const char *path, const char *argument, ...)
{
    COLLECT(argument);
    va_end(args);
    return execve(path, argv, environ);
}

int execlp(const char *file, const char *argument, ...)
{
    COLLECT(argument);
    va_end(args);
    return execvpe(file, argv, environ);
}

int execle(const char *path, const char *argument, ...)
{
    COLLECT(argument);
    char **envp = va_arg(args, char **);
    va_end(args);
    return execve(path, argv, envp);
}
