/* ISO-002: descriptors of another cage cannot be guessed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int go[2], done[2];
    char byte;
    pipe(go);
    pipe(done);
    pid_t child = fork();
    if (child == 0) {
        int bad = 0, reached = 0;
        read(go[0], &byte, 1);
        close(go[0]), close(go[1]), close(done[0]);
        for (int fd = 3; fd < 200; fd++) {
            if (fd == done[1])
                continue;
            int failed = write(fd, "child", 5) < 0 && errno == EBADF;
            failed &= lseek(fd, 0, SEEK_END) < 0 && errno == EBADF;
            failed &= close(fd) < 0 && errno == EBADF;
            failed &= dup(fd) < 0 && errno == EBADF;
            bad += failed;
            reached += !failed;
        }
        printf("refused %d, reached %d\n", bad, reached);
        write(done[1], "x", 1);
        _exit(0);
    }
    int fd = open("tmp/held", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(fd, "parent", 6);
    write(go[1], "x", 1);
    read(done[0], &byte, 1);
    waitpid(child, NULL, 0);
    printf("offset %ld, size %ld\n", (long)lseek(fd, 0, SEEK_CUR), (long)lseek(fd, 0, SEEK_END));
    return 0;
}
