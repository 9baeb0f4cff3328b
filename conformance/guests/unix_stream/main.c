/* Local stream sockets: a server and its clients, half-closed connections, and what cannot be connected or bound. */
#include "../net.h"

#include <sys/stat.h>

int main(void)
{
    struct sockaddr_un address = local("server.sock"), peer;
    struct stat status;
    socklen_t size = sizeof peer;
    char text[64];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    show("bind", bind(server, (struct sockaddr *)&address, sizeof address));
    show("bind again", bind(server, (struct sockaddr *)&address, sizeof address));
    int other = socket(AF_UNIX, SOCK_STREAM, 0);
    show("same path", bind(other, (struct sockaddr *)&address, sizeof address));
    show("connect before listen", connect(other, (struct sockaddr *)&address, sizeof address));
    show("listen", listen(server, 4));
    stat("server.sock", &status);
    printf("a socket %d\n", S_ISSOCK(status.st_mode));
    show("accept of one that does not listen", accept(other, NULL, NULL));
    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            int fd = socket(AF_UNIX, SOCK_STREAM, 0);
            if (connect(fd, (struct sockaddr *)&address, sizeof address))
                _exit(90);
            char message[16];
            int length = sprintf(message, "client %d", i);
            write_all(fd, message, length);
            shutdown(fd, SHUT_WR);
            long got = read_all(fd, text, sizeof text);
            _exit(got == length + 6 && !memcmp(text, "hello ", 6) ? i : 91);
        }
    }
    int digits = 0;
    for (int i = 0; i < 3; i++) {
        int fd = accept(server, (struct sockaddr *)&peer, &size);
        long got = read_all(fd, text, sizeof text);
        digits |= 1 << (text[got - 1] - '0');
        write_all(fd, "hello ", 6);
        write_all(fd, text, got);
        close(fd);
    }
    int code, sum = 0;
    while (wait(&code) > 0)
        sum += WEXITSTATUS(code);
    printf("served %d, statuses %d\n", digits, sum);

    show("connect", connect(other, (struct sockaddr *)&address, sizeof address));
    show("connect twice", connect(other, (struct sockaddr *)&address, sizeof address));
    int fd = accept(server, NULL, NULL);
    show("send", send(other, "ping", 4, 0));
    show("peek", recv(fd, text, 4, MSG_PEEK));
    show("receive", recv(fd, text, 10, 0));
    show("nothing there", recv(fd, text, 10, MSG_DONTWAIT));
    close(fd);
    show("send to nobody", send(other, "x", 1, MSG_NOSIGNAL));
    show("end of file", recv(other, text, 1, 0));
    close(server);
    int late = socket(AF_UNIX, SOCK_STREAM, 0);
    show("nobody listens", connect(late, (struct sockaddr *)&address, sizeof address));
    struct sockaddr_un nowhere = local("nowhere.sock");
    show("no such path", connect(late, (struct sockaddr *)&nowhere, sizeof nowhere));
    show("send unconnected", send(late, "x", 1, MSG_NOSIGNAL));
    show("receive unconnected", recv(late, text, 1, 0));
    show("peer of none", getpeername(late, (struct sockaddr *)&peer, &size));
    struct sockaddr_un deep = local("no/where.sock");
    show("no such directory", bind(late, (struct sockaddr *)&deep, sizeof deep));
    show("unlink", unlink("server.sock"));

    int pair[2];
    show("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    if (fork() == 0) {
        close(pair[0]);
        long got = read_all(pair[1], text, 5);
        for (long i = 0; i < got; i++)
            text[i] ^= 32;
        write_all(pair[1], text, got);
        _exit(0);
    }
    close(pair[1]);
    write_all(pair[0], "HeLLo", 5);
    read_all(pair[0], text, 5);
    printf("%.5s, then %ld\n", text, (long)read(pair[0], text, 5));
    wait(NULL);
    show("not a socket", listen(0, 1));
    show("bad family", socket(999, SOCK_STREAM, 0));
    show("bad descriptor", accept(99, NULL, NULL));
    return 0;
}
