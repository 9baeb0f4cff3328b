/* A pipeline of four processes: numbers, filter, square, sum; then broken and full pipes. */
#include "../names.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void numbers(int in, int out)
{
    (void)in;
    for (int i = 1; i <= 60; i++)
        if (write_all(out, &i, sizeof i) != sizeof i)
            _exit(1);
}

static void odd(int in, int out)
{
    int n;
    while (read_all(in, &n, sizeof n) == sizeof n)
        if (n % 2)
            write_all(out, &n, sizeof n);
}

static void square(int in, int out)
{
    int n;
    while (read_all(in, &n, sizeof n) == sizeof n) {
        n *= n;
        write_all(out, &n, sizeof n);
    }
}

static int start(void (*stage)(int, int), int in)
{
    int fds[2];
    if (pipe(fds))
        exit(90);
    if (fork() == 0) {
        close(fds[0]);
        stage(in, fds[1]);
        _exit(0);
    }
    close(fds[1]);
    if (in >= 0)
        close(in);
    return fds[0];
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int end = start(square, start(odd, start(numbers, -1)));
    int n, sum = 0, count = 0;
    while (read_all(end, &n, sizeof n) == sizeof n) {
        sum += n;
        count++;
    }
    printf("%d numbers, sum %d, then end of file %ld\n", count, sum, read_all(end, &n, sizeof n));
    close(end);
    while (wait(NULL) > 0)
        ;

    int fds[2];
    char big[4096];
    pipe(fds);
    signal(SIGPIPE, SIG_IGN);
    close(fds[0]);
    ssize_t wrote = write(fds[1], "x", 1);
    printf("no reader: %zd %s\n", wrote, strerror(errno));
    close(fds[1]);

    pipe2(fds, O_NONBLOCK | O_CLOEXEC);
    printf("empty: %zd ", read(fds[0], big, 1));
    printf("%s\n", errno == EAGAIN ? "EAGAIN" : "?");
    memset(big, 'z', sizeof big);
    int total = 0;
    while ((wrote = write(fds[1], big, sizeof big)) > 0)
        total += wrote;
    printf("full after %d: %s\n", total, errno == EAGAIN ? "EAGAIN" : "?");
    read_all(fds[0], big, sizeof big);
    printf("room again: %ld\n", write_all(fds[1], big, sizeof big));
    printf("flags %d %d\n", (fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0, fcntl(fds[1], F_GETFD));
    printf("wrong end: %zd ", read(fds[1], big, 1));
    printf("%s\n", errno == EBADF ? "EBADF" : "?");
    printf("seek: %d ", (int)lseek(fds[0], 0, SEEK_SET));
    printf("%s\n", errno == ESPIPE ? "ESPIPE" : "?");
    close(fds[0]);
    close(fds[1]);

    /* dup2 onto standard output, and a child that only knows its descriptors 0 and 1. */
    int there[2], back[2];
    pipe(there);
    pipe(back);
    if (fork() == 0) {
        dup2(there[0], 0);
        dup2(back[1], 1);
        close(there[0]), close(there[1]), close(back[0]), close(back[1]);
        int c;
        while ((c = getchar()) != EOF)
            putchar(c >= 'a' && c <= 'z' ? c - 32 : c);
        exit(0);
    }
    close(there[0]);
    close(back[1]);
    write_all(there[1], "through the child and back\n", 27);
    close(there[1]);
    FILE *answer = fdopen(back[0], "r");
    char line[80];
    while (fgets(line, sizeof line, answer))
        fputs(line, stdout);
    fclose(answer);
    wait(NULL);
    return 0;
}
