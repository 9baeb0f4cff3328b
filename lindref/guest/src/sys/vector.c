/* Scattered reads and gathered writes: the system reads 64-bit addresses and sizes. */
#include "../internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/uio.h>

struct wire_iovec {
    uint64_t base;
    uint64_t length;
};

/* One call with a translated copy of the parts: up to eight on the stack, more from the heap. */
static ssize_t vector_call(uint32_t number, int fd, const struct iovec *parts, int count, uint64_t offset)
{
    struct wire_iovec few[8], *wire = few;
    if (count < 0 || count > IOV_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (count > (int)LENGTH(few) && !(wire = malloc(count * sizeof *wire)))
        return -1;
    for (int i = 0; i < count; i++)
        wire[i] = (struct wire_iovec){POINTER(parts[i].iov_base), parts[i].iov_len};
    ssize_t result = CALL(number, INT(fd), POINTER(wire), INT(count), offset);
    if (wire != few)
        free(wire);
    return result;
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
    return vector_call(LIND_CALL_READV, fd, parts, count, LIND_NOTUSED);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return vector_call(LIND_CALL_WRITEV, fd, parts, count, LIND_NOTUSED);
}

ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
    return vector_call(LIND_CALL_PREADV, fd, parts, count, INT(offset));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    return vector_call(LIND_CALL_PWRITEV, fd, parts, count, INT(offset));
}
