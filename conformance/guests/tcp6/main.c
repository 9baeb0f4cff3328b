/* The loopback in both families; addresses as text. */
#include "../net.h"

#include <netdb.h>

static void both_ways(const char *text)
{
    unsigned char bytes[16];
    char back[INET6_ADDRSTRLEN] = "";
    int four = inet_pton(AF_INET, text, bytes), six = inet_pton(AF_INET6, text, bytes);
    if (six == 1)
        inet_ntop(AF_INET6, bytes, back, sizeof back);
    else if (four == 1 && inet_pton(AF_INET, text, bytes))
        inet_ntop(AF_INET, bytes, back, sizeof back);
    printf("%s: %d %d %s\n", text, four, six, back);
}

int main(void)
{
    static const char *texts[] = {"127.0.0.1", "1.2.3", "256.1.1.1", "01.2.3.4", "::", "::1", "1::", "1:2:3:4:5:6:7:8",
                                  "2001:db8:0:0:1:0:0:1", "::ffff:1.2.3.4", "1::2::3", "12345::", "fe80::1:2:0:0",
                                  "0:0:0:0:0:0:0:1", "abcd:EF01::", "1:2:3:4:5:6:7", "::1.2.3.4", ":1", "1:"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        both_ways(texts[i]);
    struct in_addr address;
    printf("%d %d %x %x\n", inet_aton("0x7f.1", &address), inet_aton("1.2.3.4.5", NULL), ntohl(inet_addr("10.1")),
           ntohl(inet_addr("x")));
    char tiny[8];
    show("too small", inet_ntop(AF_INET, &address, tiny, sizeof tiny) ? 0 : -1);

    struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback}, peer;
    socklen_t size = sizeof here;
    int server = socket(AF_INET6, SOCK_STREAM, 0);
    show("bind", bind(server, (struct sockaddr *)&here, sizeof here));
    show("listen", listen(server, 1));
    show("name", getsockname(server, (struct sockaddr *)&here, &size));
    printf("size %d, port %d\n", (int)size, ntohs(here.sin6_port) != 0);
    if (fork() == 0) {
        int fd = socket(AF_INET6, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&here, sizeof here))
            _exit(1);
        write_all(fd, "six", 3);
        _exit(0);
    }
    size = sizeof peer;
    int fd = accept(server, (struct sockaddr *)&peer, &size);
    char text[INET6_ADDRSTRLEN];
    printf("from %s, size %d\n", inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof text), (int)size);
    long got = read_all(fd, text, 3);
    printf("%.*s\n", (int)got, text);
    wait(NULL);

    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    int code = getaddrinfo("127.0.0.1", "80", &hints, &list);
    if (code == 0) {
        struct sockaddr_in *in = (struct sockaddr_in *)list->ai_addr;
        printf("%s %d, one %d\n", inet_ntoa(in->sin_addr), ntohs(in->sin_port), list->ai_next == NULL);
        freeaddrinfo(list);
    }
    hints.ai_flags = AI_NUMERICHOST;
    printf("%s\n", gai_strerror(getaddrinfo("not.a.number", "80", &hints, &list)));
    printf("%s\n", gai_strerror(getaddrinfo(NULL, NULL, &hints, &list)));
    struct sockaddr_in four = loopback(8080);
    char host[64], service[16];
    code = getnameinfo((struct sockaddr *)&four, sizeof four, host, sizeof host, service, sizeof service,
                       NI_NUMERICHOST | NI_NUMERICSERV);
    printf("%d %s %s\n", code, host, service);
    return 0;
}
