/* ISO-001: what one cage writes no other sees, and no call reads or writes another cage's memory for it. */
#include <errno.h>
#include <fcntl.h>
#include <lind_syscall.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char secret[64] = "the parent's";
static char own[64];

static int call(int number, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t me = lind_get_cage_id();
    return make_threei_call(number, 0, me, me, a, me, b, me, c, me, NOTUSED, me, NOTUSED, me, NOTUSED, me, 0);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    uint64_t theirs = lind_host_address(secret);
    int fds[2];
    pipe(fds);
    pid_t child = fork();
    if (child == 0) {
        /* The same place in this cage is another place. */
        strcpy(secret, "the child's");
        printf("own address is another: %d\n", lind_host_address(secret) != theirs);
        int fd = open("/tmp/out", O_RDWR | O_CREAT | O_TRUNC, 0600);
        printf("write from there: %d\n", call(LIND_CALL_WRITE, fd, theirs, 12));
        write(fd, "overwritten", 11);
        lseek(fd, 0, SEEK_SET);
        printf("read to there: %d\n", call(LIND_CALL_READ, fd, theirs, 11));
        printf("open by a name there: %d\n", call(LIND_CALL_OPEN, theirs, 0, 0));
        printf("wild: %d %d\n", call(LIND_CALL_WRITE, fd, 0x10, 1), call(LIND_CALL_WRITE, fd, ~0xFFFULL, 1));
        write(fds[1], "x", 1);
        _exit(3);
    }
    int status = 0;
    read(fds[0], own, 1);
    waitpid(child, &status, 0);
    printf("still %s, child %d\n", secret, WEXITSTATUS(status));
    return 0;
}
