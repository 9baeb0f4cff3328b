/* Files in memory, and what can be done with one; results are those of the calls, errors negative. Addresses are of
 * `cage`, whose call it is. */
#ifndef FILES_H
#define FILES_H

#include "../grate.h"

#include <fcntl.h>
#include <sys/stat.h>

#define FILES 64
#define LONGEST (1 << 20)

/* A file that was removed keeps its place, empty, for who has it open or makes it again. */
static struct file {
    char *name, *data;
    size_t size;
    int there;
} files[FILES];

struct descriptor {
    struct file *file;
    size_t position;
    int flags;
};

/* The file of that name, there or not; NULL if there is no room for one more. */
static struct file *named(const char *name)
{
    for (struct file *file = files; file < files + FILES; file++) {
        if (!file->name)
            file->name = strdup(name);
        if (strcmp(file->name, name) == 0)
            return file;
    }
    return NULL;
}

static int resized(struct file *file, size_t size)
{
    char *data = realloc(file->data, size + 1);
    if (size > LONGEST || !data)
        return 0;
    file->data = data;
    if (size > file->size)
        memset(data + file->size, 0, size - file->size);
    file->size = size;
    return 1;
}

/* Whether the file can be opened so; it is made, or emptied, where that is asked for. */
static int open_file(struct file *file, int flags)
{
    if (!file)
        return -ENOSPC;
    if (!file->there && !(flags & O_CREAT))
        return -ENOENT;
    if (file->there && flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    if (!file->there || (flags & O_TRUNC && (flags & O_ACCMODE) != O_RDONLY))
        file->size = 0;
    file->there = 1;
    return 0;
}

static int stat_file(uint64_t grate, struct file *file, uint64_t address, uint64_t cage)
{
    if (!file || !file->there)
        return -ENOENT;
    struct stat about = {.st_mode = S_IFREG | 0644, .st_nlink = 1, .st_size = file->size, .st_blksize = 4096};
    return deliver(grate, &about, sizeof about, address, cage);
}

static int read_file(uint64_t grate, struct descriptor *from, uint64_t address, uint64_t cage, uint64_t count)
{
    size_t left = from->position < from->file->size ? from->file->size - from->position : 0;
    size_t size = count < left ? count : left;
    if ((from->flags & O_ACCMODE) == O_WRONLY)
        return -EBADF;
    if (deliver(grate, from->file->data + from->position, size, address, cage) < 0)
        return -EFAULT;
    from->position += size;
    return size;
}

static int write_file(uint64_t grate, struct descriptor *to, uint64_t address, uint64_t cage, uint64_t count)
{
    size_t at = to->flags & O_APPEND ? to->file->size : to->position, before = to->file->size;
    if ((to->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    if (count > LONGEST || (at + count > before && !resized(to->file, at + count)))
        return -ENOSPC;
    if (fetch(grate, to->file->data + at, count, address, cage) < 0)
        return to->file->size = before, -EFAULT;
    to->file->there = 1;
    to->position = at + count;
    return count;
}

static int seek_file(struct descriptor *in, int64_t offset, int whence)
{
    const int64_t bases[] = {0, in->position, in->file->size};
    if (whence < 0 || whence > 2 || bases[whence] + offset < 0)
        return -EINVAL;
    return in->position = bases[whence] + offset;
}

static int remove_file(struct file *file)
{
    if (!file || !file->there)
        return -ENOENT;
    return file->there = file->size = 0;
}

#endif
