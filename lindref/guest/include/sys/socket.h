/* POSIX: sockets. */
#ifndef _SYS_SOCKET_H
#define _SYS_SOCKET_H

#include <features.h>
#include <bits/alltypes.h>
#include <bits/socket.h>
#include <sys/uio.h>

__BEGIN_DECLS

struct sockaddr {
    sa_family_t sa_family;
    char sa_data[14];
};

/* 128 bytes. */
struct sockaddr_storage {
    sa_family_t ss_family;
    char __padding[122];
    unsigned long __align;
};

struct linger {
    int l_onoff;
    int l_linger;
};

struct ucred {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/* 56 bytes, with padding where the system has the high halves. */
struct msghdr {
    void *msg_name;
    int : 32;
    socklen_t msg_namelen;
    int : 32;
    struct iovec *msg_iov;
    int : 32;
    size_t msg_iovlen;
    int : 32;
    void *msg_control;
    int : 32;
    size_t msg_controllen;
    int : 32;
    int msg_flags;
    int : 32;
};

struct mmsghdr {
    struct msghdr msg_hdr;
    unsigned msg_len;
};

struct cmsghdr {
    size_t cmsg_len;
    int cmsg_level;
    int cmsg_type;
};

#define CMSG_ALIGN(length) (((length) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))
#define CMSG_SPACE(length) (CMSG_ALIGN(length) + CMSG_ALIGN(sizeof(struct cmsghdr)))
#define CMSG_LEN(length) (CMSG_ALIGN(sizeof(struct cmsghdr)) + (length))
#define CMSG_DATA(header) ((unsigned char *)((struct cmsghdr *)(header) + 1))
#define CMSG_FIRSTHDR(message)                                                                  \
    ((message)->msg_controllen >= sizeof(struct cmsghdr) ? (struct cmsghdr *)(message)->msg_control : (struct cmsghdr *)0)
#define CMSG_NXTHDR(message, header) __lind_next_control(message, header)

static inline struct cmsghdr *__lind_next_control(struct msghdr *message, struct cmsghdr *header)
{
    char *end = (char *)message->msg_control + message->msg_controllen;
    char *next = (char *)header + CMSG_ALIGN(header->cmsg_len);
    if (header->cmsg_len < sizeof *header || next + sizeof *header > end)
        return (struct cmsghdr *)0;
    return (struct cmsghdr *)next;
}

int socket(int domain, int type, int protocol);
int socketpair(int domain, int type, int protocol, int fds[2]);
int bind(int fd, const struct sockaddr *address, socklen_t size);
int listen(int fd, int backlog);
int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size);
int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict size, int flags);
int connect(int fd, const struct sockaddr *address, socklen_t size);
int shutdown(int fd, int how);
int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict size);
int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict size);
int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size);
int setsockopt(int fd, int level, int option, const void *value, socklen_t size);
ssize_t send(int fd, const void *buffer, size_t size, int flags);
ssize_t recv(int fd, void *buffer, size_t size, int flags);
ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address, socklen_t length);
ssize_t recvfrom(int fd, void *restrict buffer, size_t size, int flags, struct sockaddr *restrict address,
                 socklen_t *restrict length);
ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t recvmsg(int fd, struct msghdr *message, int flags);
int sockatmark(int fd);

__END_DECLS

#endif
