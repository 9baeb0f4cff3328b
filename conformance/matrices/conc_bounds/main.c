/* CONC-005: one cage at its bounds (descriptors, the size of files, a full pipe, a thread that is asleep as it ends),
   others go on. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#endif

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static const char *name(long result)
{
    return result >= 0 ? "done" : errno == EMFILE ? "EMFILE" : errno == EFBIG ? "EFBIG" : errno == EAGAIN ? "EAGAIN"
           : errno == EISDIR ? "EISDIR" : errno == EBUSY ? "EBUSY" : strerror(errno);
}

static void *sleeps(void *given)
{
    pthread_mutex_lock(&held);
    return given;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    signal(SIGXFSZ, SIG_IGN);
    int fds[2];
    char data[4096], byte;
    memset(data, 'x', sizeof data);
    pipe(fds);
    fcntl(fds[0], F_SETFL, O_NONBLOCK), fcntl(fds[1], F_SETFL, O_NONBLOCK);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit few = {20, 20}, small = {6000, 6000};
        setrlimit(RLIMIT_NOFILE, &few), setrlimit(RLIMIT_FSIZE, &small);
        pid_t again = fork();
        if (again == 0) {
            int last = 0, fd;
            while ((fd = dup(0)) >= 0)
                last = fd;
            printf("grandchild: last %d, then %s\n", last, name(fd));
            close(last);
            fd = open("tmp/f", O_RDWR | O_CREAT, 0600);
            int first = write(fd, data, 4096), second = write(fd, data, 4096);
            printf("grandchild: writes %d, %d, %s\n", first, second, name(write(fd, data, 1)));
            pthread_t thread;
            pthread_mutex_lock(&held);
            pthread_create(&thread, NULL, sleeps, NULL);
            sched_yield();
            _exit(0);
        }
        waitpid(again, NULL, 0);
        int pages = 0;
        while (write(fds[1], data, 4096) == 4096)
            pages++;
        printf("child: %d pages, then %s\n", pages, name(write(fds[1], data, 4096)));
        printf("child: smaller %s\n", name(fcntl(fds[1], F_SETPIPE_SZ, 4096)));
        _exit(0);
    }
    waitpid(child, NULL, 0);
    int many = 0;
    while (many < 40 && dup(0) >= 0)
        many++;
    int fd = open("tmp/g", O_RDWR | O_CREAT, 0600), wrote = 0;
    for (int i = 0; i < 4; i++)
        wrote += write(fd, data, 4096);
    struct statfs of;
    printf("parent: %d more, wrote %d, file system %d\n", many, wrote, statfs("/tmp", &of) == 0 && of.f_bsize > 0);
    printf("parent: folder %s\n", name(read(open("tmp", O_RDONLY), &byte, 1)));
    while (read(fds[0], data, 4096) > 0)
        ;
    printf("parent: smaller %s, again %s\n", name(fcntl(fds[1], F_SETPIPE_SZ, 4096)), name(write(fds[1], data, 4096)));
    return 0;
}
