/* Socket options: defaults, what was set, what is wrong; receiving with a time limit. */
#include "../net.h"

#include <netinet/tcp.h>
#include <sys/time.h>

static int get(int fd, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, level, option, &value, &size) ? -1000 - errno : value;
}

static int set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

int main(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), datagram = socket(AF_INET, SOCK_DGRAM, 0);
    int unix_socket = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    printf("type %d %d %d\n", get(fd, SOL_SOCKET, SO_TYPE), get(datagram, SOL_SOCKET, SO_TYPE),
           get(unix_socket, SOL_SOCKET, SO_TYPE));
    printf("domain %d, protocol %d\n", get(fd, SOL_SOCKET, SO_DOMAIN), get(fd, SOL_SOCKET, SO_PROTOCOL));
    printf("error %d, listening %d\n", get(fd, SOL_SOCKET, SO_ERROR), get(fd, SOL_SOCKET, SO_ACCEPTCONN));
    printf("reuse %d", get(fd, SOL_SOCKET, SO_REUSEADDR));
    show(", set", set(fd, SOL_SOCKET, SO_REUSEADDR, 1));
    printf("reuse %d, keepalive %d", get(fd, SOL_SOCKET, SO_REUSEADDR), get(fd, SOL_SOCKET, SO_KEEPALIVE));
    show(", set", set(fd, SOL_SOCKET, SO_KEEPALIVE, 7));
    printf("keepalive %d, broadcast %d\n", get(fd, SOL_SOCKET, SO_KEEPALIVE), get(datagram, SOL_SOCKET, SO_BROADCAST));
    show("nodelay", set(fd, IPPROTO_TCP, TCP_NODELAY, 1));
    printf("nodelay %d\n", get(fd, IPPROTO_TCP, TCP_NODELAY));
    show("buffer", set(fd, SOL_SOCKET, SO_RCVBUF, 20000));
    printf("at least as big %d\n", get(fd, SOL_SOCKET, SO_RCVBUF) >= 20000);
    struct linger linger = {1, 5}, seen = {0, 0};
    socklen_t size = sizeof seen;
    show("linger", setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    getsockopt(fd, SOL_SOCKET, SO_LINGER, &seen, &size);
    printf("linger %d %d\n", seen.l_onoff, seen.l_linger);
    show("listen", listen(fd, 1));
    printf("listening %d\n", get(fd, SOL_SOCKET, SO_ACCEPTCONN));
    show("no such option", set(fd, SOL_SOCKET, 9999, 1));
    show("no such level", set(fd, 9999, 1, 1));
    show("short value", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &fd, 1));
    show("not a socket", set(0, SOL_SOCKET, SO_REUSEADDR, 1));

    int pair[2];
    char text[4];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    struct timeval limit = {0, 30000}, start, end;
    show("time limit", setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    size = sizeof limit;
    getsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, &size);
    printf("limit %ld near %d, size %d\n", (long)limit.tv_sec, limit.tv_usec >= 30000 && limit.tv_usec < 40000, size == sizeof limit);
    gettimeofday(&start, NULL);
    show("receive", recv(pair[0], text, 1, 0));
    gettimeofday(&end, NULL);
    printf("waited %d\n", (end.tv_sec - start.tv_sec) * 1000000 + end.tv_usec - start.tv_usec >= 30000);
    send(pair[1], "x", 1, 0);
    show("receive", recv(pair[0], text, 1, 0));
    return 0;
}
