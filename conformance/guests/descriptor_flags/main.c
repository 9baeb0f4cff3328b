/* Descriptors: the lowest number, copies, flags of descriptors and of open files, closing, ioctl. */
#include "../net.h"

#include <fcntl.h>
#include <sys/ioctl.h>

int main(void)
{
    char text[4];
    int a = open("x", O_RDWR | O_CREAT, 0600), b = dup(a), c = dup(a);
    printf("%d %d %d\n", a, b, c);
    close(b);
    printf("lowest %d\n", dup(c));
    printf("from 10: %d\n", fcntl(a, F_DUPFD, 10));
    printf("and %d\n", fcntl(a, F_DUPFD, 10));
    int d = fcntl(a, F_DUPFD_CLOEXEC, 20);
    printf("%d, flags %d %d\n", d, fcntl(d, F_GETFD), fcntl(a, F_GETFD));
    show("set", fcntl(a, F_SETFD, FD_CLOEXEC));
    printf("%d, its copy %d\n", fcntl(a, F_GETFD), fcntl(c, F_GETFD));
    show("dup2", dup2(a, 30));
    printf("flags %d\n", fcntl(30, F_GETFD));
    show("dup3", dup3(a, 31, O_CLOEXEC));
    printf("flags %d\n", fcntl(31, F_GETFD));
    show("dup3 same", dup3(a, a, 0));
    show("dup3 flags", dup3(a, 32, O_APPEND));
    show("dup2 same", dup2(a, a));
    show("dup2 of a closed one", dup2(77, 5));
    show("dup closed", dup(77));
    show("negative", dup2(a, -1));
    show("F_DUPFD closed", fcntl(77, F_DUPFD, 0));
    show("unknown command", fcntl(a, 9999));

    printf("access mode %d\n", fcntl(a, F_GETFL) & O_ACCMODE);
    show("append", fcntl(a, F_SETFL, O_APPEND | O_NONBLOCK));
    printf("seen by the copy %d %d\n", (fcntl(c, F_GETFL) & O_APPEND) != 0, (fcntl(c, F_GETFL) & O_NONBLOCK) != 0);
    write(a, "one", 3);
    lseek(c, 0, SEEK_SET);
    write(c, "two", 3);
    printf("size %d\n", (int)lseek(a, 0, SEEK_END));
    show("off", fcntl(a, F_SETFL, 0));
    printf("mode is kept %d\n", fcntl(a, F_GETFL) & O_ACCMODE);
    close(a);
    lseek(c, 3, SEEK_SET);
    show("the others live", read(c, text, 3));
    show("close twice", close(a));

    int pair[2], count = -1, on = 1;
    pipe(pair);
    write(pair[1], "12345", 5);
    show("FIONREAD", ioctl(pair[0], FIONREAD, &count));
    printf("%d bytes\n", count);
    show("FIONBIO", ioctl(pair[0], FIONBIO, &on));
    printf("does not wait %d\n", (fcntl(pair[0], F_GETFL) & O_NONBLOCK) != 0);
    show("FIOCLEX", ioctl(pair[0], FIOCLEX));
    printf("flags %d\n", fcntl(pair[0], F_GETFD));
    show("no terminal", ioctl(pair[0], TIOCGWINSZ, text));
    show("isatty", isatty(pair[0]) ? 1 : -1);
    show("isatty", isatty(99) ? 1 : -1);
    show("capacity", fcntl(pair[0], F_GETPIPE_SZ));
    return 0;
}
