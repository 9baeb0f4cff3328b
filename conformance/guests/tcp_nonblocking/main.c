/* Sockets that do not wait: EAGAIN, full buffers, connecting in the background, and poll to wait after all. */
#include "../net.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>

static int wait_for(int fd, int events)
{
    struct pollfd entry = {fd, events, 0};
    return poll(&entry, 1, 2000) == 1 ? entry.revents & (POLLIN | POLLOUT | POLLHUP | POLLERR) : 0;
}

int main(void)
{
    int port, error = -1;
    char text[16];
    socklen_t size = sizeof error;
    int listener = listen_somewhere(&port, 3);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    show("nobody yet", accept(listener, NULL, NULL));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    printf("flags %d %d\n", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, fcntl(fd, F_GETFD));
    struct sockaddr_in address = loopback(port);
    int result = connect(fd, (struct sockaddr *)&address, sizeof address);
    printf("connect: %s\n", result == 0 ? "at once or later" : errno == EINPROGRESS ? "at once or later" : name_of(errno));
    printf("writable %d\n", wait_for(fd, POLLOUT) == POLLOUT);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    printf("error %d\n", error);
    printf("someone %d\n", wait_for(listener, POLLIN) == POLLIN);
    int peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    printf("accepted %d, flags %d\n", peer >= 0, (fcntl(peer, F_GETFL) & O_NONBLOCK) != 0);
    show("empty", recv(peer, text, 1, 0));
    show("send", send(fd, "abc", 3, 0));
    printf("readable %d\n", wait_for(peer, POLLIN) == POLLIN);
    show("receive", recv(peer, text, 10, 0));
    static char block[65536];
    long total = 0, put;
    while ((put = send(fd, block, sizeof block, 0)) > 0)
        total += put;
    printf("full: %s, more than one block %d\n", name_of(errno), total > (long)sizeof block);
    long drained = 0;
    while ((put = recv(peer, block, sizeof block, 0)) > 0 || wait_for(peer, POLLIN) & POLLIN) {
        if (put > 0)
            drained += put;
        if (drained == total)
            break;
    }
    printf("drained all %d\n", drained == total);
    printf("writable again %d\n", wait_for(fd, POLLOUT) == POLLOUT);
    close(peer);
    printf("hang-up seen %d\n", (wait_for(fd, POLLIN) & POLLIN) != 0);
    show("end", recv(fd, text, 1, 0));

    close(listener);
    int refused = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    result = connect(refused, (struct sockaddr *)&address, sizeof address);
    if (result && errno == EINPROGRESS) {
        wait_for(refused, POLLOUT);
        size = sizeof error;
        getsockopt(refused, SOL_SOCKET, SO_ERROR, &error, &size);
        errno = error;
    }
    printf("refused: %s\n", name_of(errno));
    int on = 1;
    show("nodelay", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    show("bad protocol", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
    return 0;
}
