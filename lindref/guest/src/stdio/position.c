/* Positions, and the small questions about streams. */
#include "file.h"

#include <errno.h>
#include <unistd.h>

int fseeko(FILE *file, off_t offset, int whence)
{
    __lind_file_lock(file);
    int result = -1;
    if (whence == SEEK_CUR && file->flags & FILE_READING) /* what was read ahead is not where the reader is */
        offset -= file->end - file->position;
    if (!(file->flags & FILE_WRITING && __lind_file_flush(file))) {
        if (!file->kind->seek)
            errno = ESPIPE;
        else if (file->kind->seek(file, offset, whence) >= 0) {
            file->flags &= ~(FILE_READING | FILE_EOF);
            file->position = file->end = file->buffer;
            result = 0;
        }
    }
    __lind_file_unlock(file);
    return result;
}

off_t ftello(FILE *file)
{
    __lind_file_lock(file);
    off_t offset = -1;
    unsigned appending = FILE_APPEND | FILE_WRITING;
    if (!file->kind->seek)
        errno = ESPIPE;
    else
        offset = file->kind->seek(file, 0, (file->flags & appending) == appending ? SEEK_END : SEEK_CUR);
    if (offset >= 0 && file->flags & FILE_READING)
        offset -= file->end - file->position;
    else if (offset >= 0 && file->flags & FILE_WRITING && file->buffer)
        offset += file->position - file->buffer;
    __lind_file_unlock(file);
    return offset;
}

int fseek(FILE *file, long offset, int whence)
{
    return fseeko(file, offset, whence);
}

long ftell(FILE *file)
{
    return ftello(file);
}

void rewind(FILE *file)
{
    fseeko(file, 0, SEEK_SET);
    clearerr(file);
}

int fgetpos(FILE *restrict file, fpos_t *restrict position)
{
    position->__offset = ftell(file);
    return position->__offset < 0 ? -1 : 0;
}

int fsetpos(FILE *file, const fpos_t *position)
{
    return fseek(file, position->__offset, SEEK_SET);
}

int feof_unlocked(FILE *file)
{
    return (file->flags & FILE_EOF) != 0;
}

int ferror_unlocked(FILE *file)
{
    return (file->flags & FILE_ERROR) != 0;
}

void clearerr_unlocked(FILE *file)
{
    file->flags &= ~(FILE_EOF | FILE_ERROR);
}

int feof(FILE *file)
{
    return feof_unlocked(file);
}

int ferror(FILE *file)
{
    return ferror_unlocked(file);
}

void clearerr(FILE *file)
{
    __lind_file_lock(file);
    clearerr_unlocked(file);
    __lind_file_unlock(file);
}

int fileno_unlocked(FILE *file)
{
    if (file->fd < 0)
        errno = EBADF;
    return file->fd < 0 ? -1 : file->fd;
}

int fileno(FILE *file)
{
    return fileno_unlocked(file);
}

void flockfile(FILE *file)
{
    __lind_file_lock(file);
}

void funlockfile(FILE *file)
{
    __lind_file_unlock(file);
}

int ftrylockfile(FILE *file)
{
    int me = __lind_self()->tid, free = 0;
    if (file->owner != me) {
        if (!__atomic_compare_exchange_n(&file->lock, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return -1;
        file->owner = me;
    }
    file->depth++;
    return 0;
}
