/* Local datagrams and packets: messages keep their bounds, what does not fit is cut, names tell who sent. */
#include "../net.h"

int main(void)
{
    struct sockaddr_un a = local("a.sock"), b = local("b.sock"), from;
    socklen_t size = sizeof from;
    char text[64];
    int one = socket(AF_UNIX, SOCK_DGRAM, 0), two = socket(AF_UNIX, SOCK_DGRAM, 0);
    show("bind", bind(one, (struct sockaddr *)&a, sizeof a));
    show("bind", bind(two, (struct sockaddr *)&b, sizeof b));
    show("send", sendto(one, "first", 5, 0, (struct sockaddr *)&b, sizeof b));
    show("send", sendto(one, "second one", 10, 0, (struct sockaddr *)&b, sizeof b));
    show("send", sendto(one, "", 0, 0, (struct sockaddr *)&b, sizeof b));
    memset(&from, 0, sizeof from);
    show("receive", recvfrom(two, text, sizeof text, 0, (struct sockaddr *)&from, &size));
    printf("%.5s from %s\n", text, from.sun_path);
    show("cut", recv(two, text, 4, 0));
    show("empty", recv(two, text, 4, 0));
    show("nothing", recv(two, text, 4, MSG_DONTWAIT));
    show("answer", sendto(two, "back", 4, 0, (struct sockaddr *)&from, size));
    show("receive", recv(one, text, sizeof text, 0));
    show("no destination", send(one, "x", 1, 0));
    show("connect", connect(one, (struct sockaddr *)&b, sizeof b));
    show("send connected", send(one, "x", 1, 0));
    show("truncated says so", recv(two, text, 0, MSG_TRUNC));
    struct sockaddr_un c = local("c.sock");
    show("nobody there", sendto(two, "x", 1, 0, (struct sockaddr *)&c, sizeof c));
    show("listen", listen(two, 1));
    close(two);
    show("receiver gone", send(one, "x", 1, MSG_NOSIGNAL));

    int pair[2];
    show("socketpair", socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    show("packet", send(pair[0], "abcdef", 6, 0));
    show("packet", send(pair[0], "gh", 2, 0));
    show("cut", recv(pair[1], text, 3, 0));
    show("next", recv(pair[1], text, 10, 0));
    printf("%.2s\n", text);
    close(pair[0]);
    show("end", recv(pair[1], text, 10, 0));
    show("pair of datagrams", socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    show("send", write(pair[1], "xyz", 3));
    show("read", read(pair[0], text, 10));
    show("bad type", socketpair(AF_UNIX, 77, 0, pair));
    show("internet pair", socketpair(AF_INET, SOCK_STREAM, 0, pair));
    return 0;
}
