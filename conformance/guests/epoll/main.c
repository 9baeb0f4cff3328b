/* epoll: level and edge, once only, changing and leaving, what closes, what is refused. */
#include "../net.h"

#include <fcntl.h>
#include <sys/epoll.h>

static int waited(int ep, struct epoll_event *events, int timeout)
{
    int count = epoll_wait(ep, events, 8, timeout);
    printf("%d:", count);
    for (int i = 0; i < count; i++)
        printf(" %s%s%s%s", events[i].events & EPOLLIN ? "in" : "", events[i].events & EPOLLOUT ? "out" : "",
               events[i].events & EPOLLHUP ? "hup" : "", events[i].events & EPOLLERR ? "err" : "");
    printf("\n");
    return count;
}

static int change(int ep, int operation, int fd, unsigned events)
{
    struct epoll_event event = {.events = events};
    event.data.fd = fd;
    return epoll_ctl(ep, operation, fd, &event);
}

int main(void)
{
    struct epoll_event events[8];
    int a[2], b[2];
    char text[8];
    int ep = epoll_create1(EPOLL_CLOEXEC);
    printf("created %d, cloexec %d\n", ep >= 0, fcntl(ep, F_GETFD));
    pipe(a);
    pipe(b);
    show("add", change(ep, EPOLL_CTL_ADD, a[0], EPOLLIN));
    show("add", change(ep, EPOLL_CTL_ADD, b[0], EPOLLIN | EPOLLET));
    show("again", change(ep, EPOLL_CTL_ADD, a[0], EPOLLIN));
    waited(ep, events, 0);
    write(a[1], "xy", 2);
    waited(ep, events, -1);
    printf("it is a %d\n", events[0].data.fd == a[0]);
    read(a[0], text, 1);
    waited(ep, events, 0);
    read(a[0], text, 1);
    waited(ep, events, 0);
    write(b[1], "x", 1);
    waited(ep, events, 0);
    waited(ep, events, 0);
    write(b[1], "y", 1);
    waited(ep, events, 0);
    printf("it is b %d\n", events[0].data.fd == b[0]);
    show("once", change(ep, EPOLL_CTL_MOD, a[0], EPOLLIN | EPOLLONESHOT));
    write(a[1], "z", 1);
    waited(ep, events, 0);
    waited(ep, events, 0);
    show("armed again", change(ep, EPOLL_CTL_MOD, a[0], EPOLLIN));
    waited(ep, events, 0);
    show("remove", change(ep, EPOLL_CTL_DEL, a[0], 0));
    show("again", change(ep, EPOLL_CTL_DEL, a[0], 0));
    show("modify", change(ep, EPOLL_CTL_MOD, a[0], EPOLLIN));
    waited(ep, events, 0);
    show("writers", change(ep, EPOLL_CTL_ADD, a[1], EPOLLOUT));
    waited(ep, events, 0);
    close(a[0]);
    waited(ep, events, 0);
    close(a[1]);
    waited(ep, events, 10);
    if (fork() == 0) {
        usleep(20000);
        write(b[1], "late", 4);
        _exit(0);
    }
    waited(ep, events, 2000);
    wait(NULL);
    int file = open("plain", O_RDWR | O_CREAT, 0600);
    show("plain file", change(ep, EPOLL_CTL_ADD, file, EPOLLIN));
    show("itself", change(ep, EPOLL_CTL_ADD, ep, EPOLLIN));
    show("closed", change(ep, EPOLL_CTL_ADD, 77, EPOLLIN));
    show("not epoll", change(file, EPOLL_CTL_ADD, b[0], EPOLLIN));
    show("no operation", change(ep, 9, b[1], EPOLLIN));
    show("no events wanted", epoll_wait(ep, events, 0, 0));
    show("wait on a file", epoll_wait(file, events, 1, 0));
    show("bad flags", epoll_create1(1));
    show("bad size", epoll_create(0));
    return 0;
}
