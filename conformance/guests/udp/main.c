/* UDP on the loopback: datagrams between processes, connected sockets, sizes, and nobody at the other end. */
#include "../net.h"

#include <poll.h>

static int bound(int *port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bind(fd, (struct sockaddr *)&address, sizeof address);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return fd;
}

int main(void)
{
    int port, other;
    char text[100];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int server = bound(&port);
    if (fork() == 0) {
        for (int i = 0; i < 4; i++) {
            size = sizeof from;
            long got = recvfrom(server, text, sizeof text, 0, (struct sockaddr *)&from, &size);
            for (long k = 0; k < got / 2; k++) {
                char c = text[k];
                text[k] = text[got - 1 - k];
                text[got - 1 - k] = c;
            }
            sendto(server, text, got, 0, (struct sockaddr *)&from, size);
        }
        _exit(0);
    }
    int client = bound(&other);
    struct sockaddr_in to = loopback(port);
    static const char *words[] = {"reversed", "a", "", "two words"};
    for (int i = 0; i < 4; i++) {
        show("send", sendto(client, words[i], strlen(words[i]), 0, (struct sockaddr *)&to, sizeof to));
        size = sizeof from;
        long got = recvfrom(client, text, sizeof text, 0, (struct sockaddr *)&from, &size);
        printf("[%.*s] from the server %d, size %d\n", (int)got, text, ntohs(from.sin_port) == port, (int)size);
    }
    wait(NULL);
    show("connect", connect(client, (struct sockaddr *)&to, sizeof to));
    show("send", send(client, "12345", 5, 0));
    show("peek", recv(server, text, 3, MSG_PEEK));
    show("cut", recv(server, text, 3, 0));
    show("gone", recv(server, text, 3, MSG_DONTWAIT));
    struct sockaddr_in mine = loopback(other);
    sendto(server, "one", 3, 0, (struct sockaddr *)&mine, sizeof mine);
    struct pollfd entry = {client, POLLIN, 0};
    show("poll", poll(&entry, 1, 1000));
    printf("readable %d\n", entry.revents == POLLIN);
    show("receive", read(client, text, 10));
    int unbound = socket(AF_INET, SOCK_DGRAM, 0);
    show("no destination", send(unbound, "x", 1, 0));
    static char big[70000];
    show("too big", sendto(unbound, big, sizeof big, 0, (struct sockaddr *)&to, sizeof to));
    show("big", sendto(unbound, big, 9000, 0, (struct sockaddr *)&to, sizeof to));
    show("whole", recv(server, big, sizeof big, 0));
    int third = socket(AF_INET, SOCK_DGRAM, 0);
    show("in use", bind(third, (struct sockaddr *)&mine, sizeof mine));
    show("listen", listen(server, 1));
    return 0;
}
