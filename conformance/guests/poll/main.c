/* Waiting for descriptors with poll and select: readiness, hang-up, errors, time-outs, interruption. */
#include "../names.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void nothing(int number)
{
    (void)number;
}

static void events(const char *what, int result, const struct pollfd *entries, int count)
{
    printf("%s: %d", what, result);
    for (int i = 0; i < count; i++) {
        int e = entries[i].revents;
        printf(" [%s%s%s%s%s]", e & POLLIN ? "in " : "", e & POLLOUT ? "out " : "", e & POLLHUP ? "hup " : "",
               e & POLLERR ? "err " : "", e & POLLNVAL ? "nval " : "");
    }
    printf("\n");
}

int main(void)
{
    int a[2], b[2];
    pipe(a);
    pipe(b);
    struct pollfd entries[3] = {{a[0], POLLIN, 0}, {b[0], POLLIN, 0}, {b[1], POLLOUT, 0}};
    events("only room to write", poll(entries, 3, -1), entries, 3);
    write(a[1], "x", 1);
    events("one to read", poll(entries, 2, 1000), entries, 2);
    char byte;
    read(a[0], &byte, 1);
    events("time out", poll(entries, 2, 30), entries, 2);
    events("at once", poll(entries, 2, 0), entries, 2);
    entries[0].fd = -1;
    entries[1].fd = 99;
    events("bad descriptor", poll(entries, 2, 0), entries, 2);
    entries[0].fd = a[0];
    entries[1].fd = b[0];
    close(a[1]);
    events("hang-up", poll(entries, 2, -1), entries, 2);
    close(b[0]);
    struct pollfd one = {b[1], POLLOUT, 0};
    events("no reader", poll(&one, 1, -1), &one, 1);
    close(a[0]);
    close(b[1]);
    int file = open("file", O_RDWR | O_CREAT, 0600);
    one = (struct pollfd){file, POLLIN | POLLOUT, 0};
    events("a file", poll(&one, 1, -1), &one, 1);

    pipe(a);
    pipe(b);
    if (fork() == 0) {
        usleep(20000);
        write(b[1], "late", 4);
        _exit(0);
    }
    entries[0] = (struct pollfd){a[0], POLLIN, 0};
    entries[1] = (struct pollfd){b[0], POLLIN, 0};
    events("woken by a child", poll(entries, 2, -1), entries, 2);
    wait(NULL);

    fd_set in, out;
    struct timeval limit = {0, 20000};
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(a[0], &in);
    FD_SET(b[0], &in);
    FD_SET(a[1], &out);
    int top = b[1] + 1, result = select(top, &in, &out, NULL, NULL);
    printf("select %d: %d %d %d\n", result, FD_ISSET(a[0], &in), FD_ISSET(b[0], &in), FD_ISSET(a[1], &out));
    char text[8];
    read_all(b[0], text, 4);
    FD_ZERO(&in);
    FD_SET(a[0], &in);
    FD_SET(b[0], &in);
    result = select(top, &in, NULL, NULL, &limit);
    printf("select timed out %d: %d %d\n", result, FD_ISSET(a[0], &in), FD_ISSET(b[0], &in));
    FD_ZERO(&in);
    FD_SET(30, &in);
    limit = (struct timeval){0, 0};
    show("select closed", select(31, &in, NULL, NULL, &limit));
    show("select negative", select(-1, NULL, NULL, NULL, &limit));
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    limit = (struct timeval){0, 25000};
    show("select as sleep", select(0, NULL, NULL, NULL, &limit));
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("long enough %d\n", (end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec >= 25000000);

    struct sigaction action = {0};
    action.sa_handler = nothing;
    sigaction(SIGUSR1, &action, NULL);
    pid_t me = getpid();
    if (fork() == 0) {
        usleep(20000);
        kill(me, SIGUSR1);
        _exit(0);
    }
    entries[0] = (struct pollfd){a[0], POLLIN, 0};
    show("poll interrupted", poll(entries, 1, 5000));
    wait(NULL);
    sigset_t mask, old;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, &old);
    kill(me, SIGUSR1);
    struct timespec moment = {0, 1000000};
    show("blocked", ppoll(entries, 1, &moment, NULL));
    struct timespec longer = {.tv_nsec = 200000000};
    show("ppoll unblocks", ppoll(entries, 1, &longer, &old));
    sigprocmask(SIG_BLOCK, NULL, &mask);
    printf("blocked again %d\n", sigismember(&mask, SIGUSR1));
    return 0;
}
