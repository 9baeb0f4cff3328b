/* Locks on files: of records between processes, of whole files between descriptors. */
#include "../net.h"

#include <fcntl.h>
#include <sys/file.h>

static int lock(int fd, int command, int type, int start, int length)
{
    struct flock it = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, command, &it);
}

static void ask(int fd, int type, int start, int length)
{
    struct flock it = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    fcntl(fd, F_GETLK, &it);
    if (it.l_type == F_UNLCK)
        printf("%d+%d is free\n", start, length);
    else
        printf("%d+%d: %s lock %d+%d of the parent %d\n", start, length, it.l_type == F_RDLCK ? "read" : "write",
               (int)it.l_start, (int)it.l_len, it.l_pid == getppid());
}

int main(void)
{
    int fds[2];
    char byte;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int fd = open("locked", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(fd, "0123456789", 10);
    show("write lock", lock(fd, F_SETLK, F_WRLCK, 2, 3));
    show("read lock", lock(fd, F_SETLK, F_RDLCK, 6, 2));
    show("over my own", lock(fd, F_SETLK, F_RDLCK, 2, 1));
    pipe(fds);
    if (fork() == 0) {
        int mine = open("locked", O_RDWR);
        ask(mine, F_WRLCK, 0, 2);
        ask(mine, F_RDLCK, 3, 1);
        ask(mine, F_RDLCK, 6, 1);
        ask(mine, F_WRLCK, 7, 1);
        ask(mine, F_WRLCK, 8, 0);
        show("refused", lock(mine, F_SETLK, F_WRLCK, 4, 1) ? -(errno == EAGAIN || errno == EACCES ? 11 : 1) : 0);
        show("shared", lock(mine, F_SETLK, F_RDLCK, 6, 2));
        write(fds[1], "g", 1);
        show("waited for", lock(mine, F_SETLKW, F_WRLCK, 3, 1));
        _exit(0);
    }
    read(fds[0], &byte, 1);
    usleep(10000);
    int unlocked = lock(fd, F_SETLK, F_UNLCK, 0, 0);
    wait(NULL);
    show("unlocked", unlocked);
    show("bad range", lock(fd, F_SETLK, F_WRLCK, -5, 1));
    show("bad type", lock(fd, F_SETLK, 77, 0, 1));
    int reader = open("locked", O_RDONLY);
    show("write lock of a reader", lock(reader, F_SETLK, F_WRLCK, 0, 1));

    show("flock", flock(fd, LOCK_EX));
    show("other descriptor", flock(reader, LOCK_SH | LOCK_NB));
    int copy = dup(fd);
    show("a copy is the same", flock(copy, LOCK_EX | LOCK_NB));
    show("unlock through the copy", flock(copy, LOCK_UN));
    show("now", flock(reader, LOCK_SH | LOCK_NB));
    show("shared", flock(fd, LOCK_SH | LOCK_NB));
    show("not exclusive", flock(fd, LOCK_EX | LOCK_NB));
    close(reader);
    show("after close", flock(fd, LOCK_EX | LOCK_NB));
    show("bad operation", flock(fd, 77));
    show("bad descriptor", flock(99, LOCK_SH));
    return 0;
}
