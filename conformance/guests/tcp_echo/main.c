/* TCP on the loopback: an echo server for several clients, names of both ends, big transfers, half-closing. */
#include "../net.h"

static void serve(int listener, int clients)
{
    char text[512];
    for (int i = 0; i < clients; i++) {
        int fd = accept(listener, NULL, NULL);
        long got;
        while ((got = read(fd, text, sizeof text)) > 0)
            write_all(fd, text, got);
        close(fd);
    }
    _exit(0);
}

int main(void)
{
    int port, status;
    char text[600];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int listener = listen_somewhere(&port, 5);
    printf("a port %d\n", port > 1023);
    if (fork() == 0)
        serve(listener, 3);
    for (int i = 0; i < 3; i++) {
        int fd = connect_to(port);
        struct sockaddr_in mine, its;
        socklen_t size = sizeof mine;
        getsockname(fd, (struct sockaddr *)&mine, &size);
        size = sizeof its;
        getpeername(fd, (struct sockaddr *)&its, &size);
        printf("to %s:%d, from there %d, size %d\n", inet_ntoa(its.sin_addr), ntohs(its.sin_port) == port,
               mine.sin_addr.s_addr == its.sin_addr.s_addr && mine.sin_port != its.sin_port, (int)size);
        memset(text, 'a' + i, sizeof text);
        show("send", write_all(fd, text, sizeof text));
        shutdown(fd, SHUT_WR);
        char back[600];
        show("back", read_all(fd, back, sizeof back));
        printf("same %d, then %ld\n", !memcmp(text, back, sizeof text), (long)read(fd, back, 1));
        close(fd);
    }
    wait(&status);
    printf("server %d\n", WEXITSTATUS(status));

    if (fork() == 0) {
        int fd = accept(listener, NULL, NULL);
        static char block[4096];
        long sum = 0, got;
        while ((got = read(fd, block, sizeof block)) > 0)
            for (long i = 0; i < got; i += 256)
                sum += got > i;
        write_all(fd, "done", 4);
        _exit(0);
    }
    int fd = connect_to(port);
    static char block[8192];
    long total = 0;
    for (int i = 0; i < 40; i++)
        total += write_all(fd, block, sizeof block);
    shutdown(fd, SHUT_WR);
    long got = read_all(fd, text, 4);
    printf("%ld bytes, answer %.*s\n", total, (int)got, text);
    wait(NULL);
    show("write after shutdown", send(fd, "x", 1, MSG_NOSIGNAL));
    close(listener);
    int late = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(port);
    show("refused", connect(late, (struct sockaddr *)&address, sizeof address));
    int again = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(again, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    show("bind", bind(again, (struct sockaddr *)&address, sizeof address));
    show("listen", listen(again, 1));
    int third = socket(AF_INET, SOCK_STREAM, 0);
    show("in use", bind(third, (struct sockaddr *)&address, sizeof address));
    address.sin_addr.s_addr = inet_addr("192.0.2.1");
    address.sin_port = 0;
    show("not ours", bind(third, (struct sockaddr *)&address, sizeof address));
    show("not connected", shutdown(third, SHUT_RDWR));
    return 0;
}
