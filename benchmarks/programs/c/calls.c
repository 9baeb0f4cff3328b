/* One kind of system call again and again: calls getpid|close|read|write|pipe|fork|exec TIMES [PROGRAM]. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char block[4096];

static int ping(int times)
{
    int there[2], back[2];
    char c = 'x';
    if (pipe(there) || pipe(back))
        return 1;
    if (!fork()) {
        for (int i = 0; i < times; i++)
            if (read(there[0], &c, 1) != 1 || write(back[1], &c, 1) != 1)
                _exit(1);
        _exit(0);
    }
    for (int i = 0; i < times; i++)
        if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
            return 1;
    int status;
    return wait(&status) < 0 || status;
}

static int children(int times, const char *program)
{
    for (int i = 0; i < times; i++) {
        int status;
        pid_t child = fork();
        if (!child) {
            if (program)
                execl(program, program, (char *)0);
            _exit(0);
        }
        if (waitpid(child, &status, 0) != child || status)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    int times = 0;
    for (const char *digit = argv[2]; *digit; digit++)
        times = times * 10 + (*digit - '0');
    if (!strcmp(argv[1], "getpid")) {
        for (int i = 0; i < times; i++)
            if (getpid() < 1)
                return 1;
    } else if (!strcmp(argv[1], "close")) {
        for (int i = 0; i < times; i++)
            if (close(1000) != -1)
                return 1;
    } else if (!strcmp(argv[1], "read") || !strcmp(argv[1], "write")) {
        int fd = open("block", O_RDWR | O_CREAT, 0600), writing = argv[1][0] == 'w';
        if (fd < 0 || write(fd, block, sizeof block) != sizeof block)
            return 1;
        for (int i = 0; i < times; i++) {
            lseek(fd, 0, SEEK_SET);
            if ((writing ? write(fd, block, sizeof block) : read(fd, block, sizeof block)) != sizeof block)
                return 1;
        }
    } else if (!strcmp(argv[1], "pipe")) {
        return ping(times);
    } else if (!strcmp(argv[1], "fork")) {
        return children(times, 0);
    } else if (!strcmp(argv[1], "exec")) {
        return children(times, argv[3]);
    } else {
        return 2;
    }
    return 0;
}
