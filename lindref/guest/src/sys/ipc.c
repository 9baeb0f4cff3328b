/* System V shared memory. */
#include "../internal.h"

#include <errno.h>
#include <sys/shm.h>
#include <sys/stat.h>

key_t ftok(const char *path, int project)
{
    struct stat status;
    if (stat(path, &status))
        return -1;
    return (key_t)((status.st_ino & 0xffff) | (status.st_dev & 0xff) << 16 | (unsigned)(project & 0xff) << 24);
}

int shmget(key_t key, size_t size, int flags)
{
    return CALL(LIND_CALL_SHMGET, INT(key), SIZE(size), INT(flags));
}

/* The wanted place goes as a system-wide address, the place that comes back is one of this cage. */
void *shmat(int id, const void *address, int flags)
{
    return (void *)CALL(LIND_CALL_SHMAT, INT(id), POINTER(address), INT(flags));
}

int shmdt(const void *address)
{
    return CALL(LIND_CALL_SHMDT, POINTER(address));
}

int shmctl(int id, int command, struct shmid_ds *status)
{
    return CALL(LIND_CALL_SHMCTL, INT(id), INT(command), POINTER(status));
}
