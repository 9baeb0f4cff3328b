/* Messages in parts, and descriptors that travel in them. */
#include "../net.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

static long send_descriptor(int socket, int fd, const char *text)
{
    char control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec part = {(void *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(socket, &message, 0);
}

static int receive_descriptor(int socket, char *text, size_t room, int control_room)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {text, room};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control_room ? control : NULL,
                             .msg_controllen = control_room ? sizeof control : 0};
    int fd = -1;
    ssize_t got = recvmsg(socket, &message, 0);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    printf("got %zd, control %d, cut %d\n", got, header != NULL, (message.msg_flags & MSG_CTRUNC) != 0);
    return fd;
}

int main(void)
{
    int pair[2], pipes[2];
    char text[64] = "", one[4], two[4];
    struct stat a, b;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    struct iovec out[3] = {{"gat", 3}, {"her", 3}, {"ed!", 3}}, in[2] = {{one, 4}, {two, 4}};
    struct msghdr message = {.msg_iov = out, .msg_iovlen = 3};
    show("sendmsg", sendmsg(pair[0], &message, 0));
    message.msg_iov = in;
    message.msg_iovlen = 2;
    show("recvmsg", recvmsg(pair[1], &message, MSG_WAITALL));
    printf("%.4s|%.4s\n", one, two);
    read(pair[1], one, 4);

    int file = open("passed.txt", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(file, "from the sender", 15);
    lseek(file, 5, SEEK_SET);
    show("send descriptor", send_descriptor(pair[0], file, "take it"));
    int received = receive_descriptor(pair[1], text, sizeof text, 1);
    fstat(file, &a);
    fstat(received, &b);
    printf("%s, another number %d, same file %d\n", text, received != file, a.st_ino == b.st_ino);
    close(file);
    ssize_t got = read(received, text, 3);
    printf("position is shared: %.*s\n", (int)got, text);

    /* A pipe's reading end goes to the parent of the process that made it. */
    if (fork() == 0) {
        pipe(pipes);
        send_descriptor(pair[0], pipes[0], "pipe");
        close(pipes[0]);
        write(pipes[1], "through a pipe", 14);
        _exit(0);
    }
    received = receive_descriptor(pair[1], text, sizeof text, 1);
    wait(NULL);
    got = read_all(received, text, sizeof text);
    printf("%.*s\n", (int)got, text);
    show("no such descriptor", send_descriptor(pair[0], 77, "x"));
    file = open("passed.txt", O_RDONLY);
    send_descriptor(pair[0], file, "y");
    printf("no room: %d\n", receive_descriptor(pair[1], text, sizeof text, 0));
    message = (struct msghdr){.msg_iov = out, .msg_iovlen = 100000};
    show("too many parts", sendmsg(pair[0], &message, 0));
    return 0;
}
