/* ISO-002: what another cage opens after the fork is not here, whatever kind it is; what is marked is gone after exec,
   the rest is kept. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_ones(void)
{
    int found = 0;
    for (int fd = 0; fd < 128; fd++)
        found += fcntl(fd, F_GETFD) >= 0;
    return found;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (argc > 1) {
        int kept = atoi(argv[1]), marked = atoi(argv[2]);
        printf("after exec: %d open, kept %s, marked %s\n", open_ones(), fcntl(kept, F_GETFD) >= 0 ? "here" : "gone",
               fcntl(marked, F_GETFD) >= 0 ? "here" : "gone");
        return 0;
    }
    int pair[2], more[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    int before = open_ones();
    char byte;
    pid_t child = fork();
    if (child == 0) {
        close(pair[0]);
        recv(pair[1], &byte, 1, 0);
        int others = open_ones() - (before - 1), bad = 0;
        for (int fd = pair[1] + 1; fd < 40; fd++) {
            struct epoll_event event = {.events = EPOLLIN};
            bad += epoll_ctl(fd, EPOLL_CTL_ADD, 0, &event) < 0 && errno == EBADF;
            bad += send(fd, "x", 1, 0) < 0 && errno == EBADF;
            bad += lseek(fd, 0, SEEK_SET) < 0 && errno == EBADF;
            bad += dup2(fd, 60) < 0 && errno == EBADF;
        }
        printf("child: %d more, all refused %d\n", others, bad == 4 * (39 - pair[1]));
        int kept = open("main.wasm", O_RDONLY), marked = open("main.wasm", O_RDONLY | O_CLOEXEC);
        char words[2][8];
        snprintf(words[0], sizeof words[0], "%d", kept);
        snprintf(words[1], sizeof words[1], "%d", marked);
        fcntl(pair[1], F_SETFD, FD_CLOEXEC);
        execl("main.wasm", "main.wasm", words[0], words[1], NULL);
        _exit(9);
    }
    close(pair[1]);
    int file = open("tmp/held", O_RDWR | O_CREAT, 0600), watch = epoll_create1(0);
    pipe(more);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(watch, EPOLL_CTL_ADD, more[0], &event);
    send(pair[0], "x", 1, 0);
    int status;
    waitpid(child, &status, 0);
    printf("parent: offset %ld, events %d, child %d\n", (long)lseek(file, 0, SEEK_CUR),
           epoll_wait(watch, &event, 1, 0), WEXITSTATUS(status));
    return 0;
}
