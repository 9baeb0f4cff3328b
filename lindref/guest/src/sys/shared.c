/* Shared memory by name: files of /dev/shm. */
#include "../internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int path_of(char *path, const char *name)
{
    while (*name == '/')
        name++;
    if (!*name || strchr(name, '/') || strlen(name) > NAME_MAX) {
        errno = strlen(name) > NAME_MAX ? ENAMETOOLONG : EINVAL;
        return -1;
    }
    strcpy(path, "/dev/shm/");
    strcat(path, name);
    return 0;
}

int shm_open(const char *name, int flags, mode_t mode)
{
    char path[NAME_MAX + 16];
    return path_of(path, name) ? -1 : open(path, flags | O_NOFOLLOW | O_CLOEXEC, mode);
}

int shm_unlink(const char *name)
{
    char path[NAME_MAX + 16];
    return path_of(path, name) ? -1 : unlink(path);
}
