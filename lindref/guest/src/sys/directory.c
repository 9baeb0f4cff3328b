/* Directories. The system writes records with 64-bit fields; they become the program's shorter ones as they are read. */
#include "../internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct wire_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

struct __lind_dir {
    int fd;
    long position;       /* what telldir says: the offset of the next entry */
    int used, filled;    /* bytes of the buffer */
    struct dirent entry;
    _Alignas(8) char buffer[2048];
};

ssize_t getdents64(int fd, void *buffer, size_t size)
{
    return CALL(LIND_CALL_GETDENTS64, INT(fd), POINTER(buffer), SIZE(size));
}

DIR *fdopendir(int fd)
{
    struct stat status;
    if (fstat(fd, &status))
        return 0;
    if (!S_ISDIR(status.st_mode)) {
        errno = ENOTDIR;
        return 0;
    }
    DIR *dir = malloc(sizeof *dir);
    if (dir) {
        dir->fd = fd;
        dir->position = 0;
        dir->used = dir->filled = 0;
    }
    return dir;
}

DIR *opendir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return dir;
}

struct dirent *readdir(DIR *dir)
{
    if (dir->used >= dir->filled) {
        int saved = errno;
        int got = getdents64(dir->fd, dir->buffer, sizeof dir->buffer);
        if (got <= 0)
            return 0;
        errno = saved;
        dir->used = 0;
        dir->filled = got;
    }
    struct wire_entry *it = (struct wire_entry *)(dir->buffer + dir->used);
    dir->used += it->length;
    dir->position = it->offset;
    dir->entry.d_ino = it->inode;
    dir->entry.d_off = it->offset;
    dir->entry.d_type = it->type;
    size_t length = strnlen(it->name, sizeof dir->entry.d_name - 1);
    memcpy(dir->entry.d_name, it->name, length);
    dir->entry.d_name[length] = 0;
    dir->entry.d_reclen = (offsetof(struct dirent, d_name) + length + 1 + 3) / 4 * 4;
    return &dir->entry;
}

int readdir_r(DIR *restrict dir, struct dirent *restrict entry, struct dirent **restrict result)
{
    int saved = errno;
    errno = 0;
    struct dirent *next = readdir(dir);
    int failed = errno;
    errno = saved;
    *result = next ? entry : 0;
    if (next)
        *entry = *next;
    return next ? 0 : failed;
}

int closedir(DIR *dir)
{
    int fd = dir->fd;
    free(dir);
    return close(fd);
}

int dirfd(DIR *dir)
{
    return dir->fd;
}

void seekdir(DIR *dir, long position)
{
    lseek(dir->fd, position, SEEK_SET);
    dir->used = dir->filled = 0;
    dir->position = position;
}

void rewinddir(DIR *dir)
{
    seekdir(dir, 0);
}

long telldir(DIR *dir)
{
    return dir->position;
}

int alphasort(const struct dirent **left, const struct dirent **right)
{
    return strcoll((*left)->d_name, (*right)->d_name);
}

int versionsort(const struct dirent **left, const struct dirent **right)
{
    return strverscmp((*left)->d_name, (*right)->d_name);
}

static int compare_entries(const void *left, const void *right, void *compare)
{
    return ((int (*)(const struct dirent **, const struct dirent **))compare)((void *)left, (void *)right);
}

int scandir(const char *path, struct dirent ***list, int (*wanted)(const struct dirent *),
            int (*compare)(const struct dirent **, const struct dirent **))
{
    DIR *dir = opendir(path);
    if (!dir)
        return -1;
    struct dirent **names = 0, *entry;
    size_t count = 0, room = 0;
    int saved = errno, failed = 0;
    errno = 0;
    while (!failed && (entry = readdir(dir))) {
        if (wanted && !wanted(entry))
            continue;
        if (count == room) {
            struct dirent **more = realloc(names, (room = room ? 2 * room : 16) * sizeof *names);
            if (!more) {
                failed = ENOMEM;
                break;
            }
            names = more;
        }
        struct dirent *copy = malloc(entry->d_reclen);
        if (!copy)
            failed = ENOMEM;
        else
            names[count++] = memcpy(copy, entry, entry->d_reclen);
        errno = 0;
    }
    failed = failed ? failed : errno;
    closedir(dir);
    if (failed) {
        while (count)
            free(names[--count]);
        free(names);
        errno = failed;
        return -1;
    }
    errno = saved;
    if (compare && count)
        qsort_r(names, count, sizeof *names, compare_entries, (void *)compare);
    *list = names;
    return count;
}
