/* CONC-003: what is referred to lives as long as anybody refers to it, and no longer: a file without a name, the readers
   of a pipe, the other end of a socket. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    signal(SIGPIPE, SIG_IGN);
    struct stat st;
    int fd = open("tmp/f", O_RDWR | O_CREAT, 0600), fds[2], pair[2], go[2];
    char byte, text[8] = "";
    pipe(fds), pipe(go);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    link("tmp/f", "tmp/g");
    fstat(fd, &st);
    printf("links: %d\n", (int)st.st_nlink);
    pid_t child = fork();
    if (child == 0) {
        close(fds[1]), close(pair[0]), close(go[1]);
        write(fd, "kept", 4);
        unlink("tmp/f"), unlink("tmp/g");
        read(go[0], &byte, 1);
        fstat(fd, &st);
        lseek(fd, 0, SEEK_SET);
        printf("child: %d links, reads %d %s\n", (int)st.st_nlink, (int)read(fd, text, 4), text);
        _exit(0);
    }
    close(fds[0]), close(pair[1]), close(go[0]), close(fd);
    printf("a reader there: %d\n", (int)write(fds[1], "x", 1));
    printf("the other end there: %d\n", (int)send(pair[0], "x", 1, 0));
    write(go[1], "x", 1);
    waitpid(child, NULL, 0);
    printf("no reader: %s\n", write(fds[1], "x", 1) < 0 && errno == EPIPE ? "EPIPE" : "written");
    printf("no other end: %s\n", send(pair[0], "x", 1, 0) < 0 && errno == EPIPE ? "EPIPE" : strerror(errno));
    printf("end: %d\n", (int)recv(pair[0], &byte, 1, 0) <= 0);
    printf("name: %s\n", access("tmp/f", F_OK) < 0 ? "gone" : "there");
    return 0;
}
