/* Sockets. Lengths of addresses that go in are passed too, though the system finds them out by itself. */
#include "../internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int socket(int domain, int type, int protocol)
{
    return CALL(LIND_CALL_SOCKET, INT(domain), INT(type), INT(protocol));
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
    return CALL(LIND_CALL_SOCKETPAIR, INT(domain), INT(type), INT(protocol), POINTER(fds));
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
    return CALL(LIND_CALL_BIND, INT(fd), POINTER(address), SIZE(size));
}

int listen(int fd, int backlog)
{
    return CALL(LIND_CALL_LISTEN, INT(fd), INT(backlog));
}

int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
    __lind_cancel_point();
    return CALL(LIND_CALL_ACCEPT, INT(fd), POINTER(address), POINTER(size));
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict size, int flags)
{
    __lind_cancel_point();
    return CALL(LIND_CALL_ACCEPT4, INT(fd), POINTER(address), POINTER(size), INT(flags));
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    __lind_cancel_point();
    return CALL(LIND_CALL_CONNECT, INT(fd), POINTER(address), SIZE(size));
}

int shutdown(int fd, int how)
{
    return CALL(LIND_CALL_SHUTDOWN, INT(fd), INT(how));
}

int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
    return CALL(LIND_CALL_GETSOCKNAME, INT(fd), POINTER(address), POINTER(size));
}

int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
    return CALL(LIND_CALL_GETPEERNAME, INT(fd), POINTER(address), POINTER(size));
}

/* The two options that are times travel with 64-bit fields. */
static int is_time(int level, int option)
{
    return level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO);
}

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size)
{
    if (!is_time(level, option) || *size < sizeof(struct timeval))
        return CALL(LIND_CALL_GETSOCKOPT, INT(fd), INT(level), INT(option), POINTER(value), POINTER(size));
    struct wire_timeval wire = {0, 0};
    socklen_t length = sizeof wire;
    int result = CALL(LIND_CALL_GETSOCKOPT, INT(fd), INT(level), INT(option), POINTER(&wire), POINTER(&length));
    if (result == 0) {
        *(struct timeval *)value = (struct timeval){wire.seconds, wire.microseconds};
        *size = sizeof(struct timeval);
    }
    return result;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    if (!is_time(level, option) || size != sizeof(struct timeval))
        return CALL(LIND_CALL_SETSOCKOPT, INT(fd), INT(level), INT(option), POINTER(value), SIZE(size));
    const struct timeval *time = value;
    struct wire_timeval wire = {time->tv_sec, time->tv_usec};
    return CALL(LIND_CALL_SETSOCKOPT, INT(fd), INT(level), INT(option), POINTER(&wire), SIZE(sizeof wire));
}

ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address, socklen_t length)
{
    return CALL(LIND_CALL_SENDTO, INT(fd), POINTER(buffer), SIZE(size), INT(flags), POINTER(address), SIZE(length));
}

ssize_t recvfrom(int fd, void *restrict buffer, size_t size, int flags, struct sockaddr *restrict address,
                 socklen_t *restrict length)
{
    __lind_cancel_point();
    return CALL(LIND_CALL_RECVFROM, INT(fd), POINTER(buffer), SIZE(size), INT(flags), POINTER(address), POINTER(length));
}

ssize_t send(int fd, const void *buffer, size_t size, int flags)
{
    return sendto(fd, buffer, size, flags, 0, 0);
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    return recvfrom(fd, buffer, size, flags, 0, 0);
}

int sockatmark(int fd)
{
    (void)fd;
    return 0;
}

/* Messages: the system reads 64-bit addresses, and control data with 64-bit lengths. */

struct wire_part {
    uint64_t base, length;
};

struct wire_message {
    uint64_t name;
    uint32_t name_length, pad;
    uint64_t parts, count, control, control_length;
    int32_t flags, pad2;
};
_Static_assert(sizeof(struct wire_message) == 56, "as the system reads it");

struct wire_control {
    uint64_t length;
    int32_t level, type;
};

#define WIRE_ALIGN(n) (((n) + 7) & ~(size_t)7)

/* The program's control data as the system has it; how many bytes. */
static size_t control_out(const struct msghdr *message, char *to)
{
    size_t used = 0;
    struct msghdr *source = (struct msghdr *)message;
    for (struct cmsghdr *it = CMSG_FIRSTHDR(source); it; it = CMSG_NXTHDR(source, it)) {
        size_t length = it->cmsg_len - sizeof *it;
        if (it->cmsg_len < sizeof *it)
            break;
        *(struct wire_control *)(to + used) = (struct wire_control){sizeof(struct wire_control) + length,
                                                                   it->cmsg_level, it->cmsg_type};
        for (size_t i = 0; i < length; i++)
            to[used + sizeof(struct wire_control) + i] = CMSG_DATA(it)[i];
        used += sizeof(struct wire_control) + WIRE_ALIGN(length);
    }
    return used;
}

/* The system's control data as the program has it. */
static void control_in(struct msghdr *message, const char *from, size_t size)
{
    size_t used = 0, room = message->msg_controllen;
    char *to = message->msg_control;
    for (size_t at = 0; at + sizeof(struct wire_control) <= size;) {
        const struct wire_control *it = (const struct wire_control *)(from + at);
        if (it->length < sizeof *it || used + sizeof(struct cmsghdr) > room)
            break;
        size_t length = it->length - sizeof *it;
        if (used + CMSG_LEN(length) > room) {
            message->msg_flags |= MSG_CTRUNC;
            length = room - used - sizeof(struct cmsghdr);
        }
        struct cmsghdr *header = (struct cmsghdr *)(to + used);
        *header = (struct cmsghdr){CMSG_LEN(length), it->level, it->type};
        for (size_t i = 0; i < length; i++)
            CMSG_DATA(header)[i] = from[at + sizeof *it + i];
        used += CMSG_SPACE(length) <= room - used ? CMSG_SPACE(length) : room - used;
        at += sizeof *it + WIRE_ALIGN(it->length - sizeof *it);
    }
    message->msg_controllen = used;
}

static ssize_t message_call(uint32_t number, int fd, struct msghdr *message, int flags, int receive)
{
    size_t count = message->msg_iovlen, room = message->msg_control ? 3 * message->msg_controllen + 64 : 0;
    if (count > IOV_MAX) {
        errno = EMSGSIZE;
        return -1;
    }
    struct wire_part *parts = malloc((count + 1) * sizeof *parts + room);
    if (!parts)
        return -1;
    char *control = (char *)(parts + count + 1);
    for (size_t i = 0; i < count; i++)
        parts[i] = (struct wire_part){POINTER(message->msg_iov[i].iov_base), message->msg_iov[i].iov_len};
    size_t given = !room ? 0 : receive ? room - 64 : control_out(message, control);
    struct wire_message wire = {.name = POINTER(message->msg_name), .name_length = message->msg_namelen,
                                .parts = POINTER(parts), .count = count, .control = given ? POINTER(control) : 0,
                                .control_length = given};
    ssize_t result = CALL(number, INT(fd), POINTER(&wire), INT(flags));
    if (receive && result >= 0) {
        message->msg_namelen = wire.name_length;
        message->msg_flags = wire.flags;
        if (room)
            control_in(message, control, wire.control_length);
        else
            message->msg_controllen = 0;
    }
    free(parts);
    return result;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return message_call(LIND_CALL_SENDMSG, fd, (struct msghdr *)message, flags, 0);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    __lind_cancel_point();
    return message_call(LIND_CALL_RECVMSG, fd, message, flags, 1);
}
