/* ISO-005: the program beneath the policy tries every other way to the file that it may not open. */
#include <errno.h>
#include <fcntl.h>
#include <lind_syscall.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int raw(uint64_t self, uint64_t target)
{
    uint64_t path = lind_host_address("/secret"), me = lind_get_cage_id();
    return make_threei_call(LIND_CALL_OPEN, 0, self, target, path, me, O_RDONLY, me, 0, me, NOTUSED, me, NOTUSED, me,
                            NOTUSED, me, 0);
}

static const char *how(int fd)
{
    return fd >= 0 ? "OPEN" : errno == EACCES ? "refused" : strerror(errno);
}

int main(int argc, char **argv)
{
    (void)argv;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    uint64_t me = lind_get_cage_id();
    if (argc > 1) {
        printf("after exec: %s\n", how(open("/secret", O_RDONLY)));
        return 0;
    }
    printf("open: %s\n", how(open("/secret", O_RDONLY)));
    printf("openat: %s\n", how(openat(AT_FDCWD, "/secret", O_RDONLY)));
    printf("by itself: %d\n", raw(me, me));
    symlink("/secret", "/tmp/link");
    printf("by a link: %s\n", how(open("/tmp/link", O_RDONLY)));
    printf("deregistered: %d, then %s\n", register_handler(me, LIND_CALL_OPEN, LIND_DEREGISTER, 0) == 0,
           how(open("/secret", O_RDONLY)));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        printf("in a child: %s\n", how(open("/secret", O_RDONLY)));
        fflush(stdout);
        execl("app.wasm", "app.wasm", "again", NULL);
        _exit(9);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}
