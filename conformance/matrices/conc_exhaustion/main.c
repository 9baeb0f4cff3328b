/* CONC-005: one cage takes all descriptors that it may have; another goes on as if nothing were. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int full[2], go[2];
    char byte;
    pipe(full);
    pipe(go);
    pid_t child = fork();
    if (child == 0) {
        int last = 0, fd;
        while ((fd = open("/tmp/f", O_RDONLY | O_CREAT, 0600)) >= 0)
            last = fd;
        printf("child: last %d, then %s\n", last, errno == EMFILE ? "EMFILE" : strerror(errno));
        printf("child: pipe %s\n", pipe(full) < 0 && errno == EMFILE ? "EMFILE" : "made");
        write(full[1], "x", 1);
        read(go[0], &byte, 1);
        close(last);
        printf("child: again %d\n", open("/tmp/f", O_RDONLY | O_CREAT, 0600) == last);
        _exit(0);
    }
    read(full[0], &byte, 1);
    int fd = open("/tmp/x", O_CREAT | O_RDWR, 0600);
    void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("parent: opens %d, maps %d\n", fd >= 0, p != MAP_FAILED);
    void *all = mmap(NULL, 0xf0000000u, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("parent: too much %s\n", all == MAP_FAILED && errno == ENOMEM ? "ENOMEM" : "mapped");
    write(go[1], "x", 1);
    int status;
    waitpid(child, &status, 0);
    printf("parent: child %d\n", WEXITSTATUS(status));
    return 0;
}
