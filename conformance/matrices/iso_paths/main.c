/* ISO-004: no path leads out of the root: not "..", not absolute links, not a link that changes while it is walked. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void attempt(const char *path)
{
    struct stat st, root;
    int found = stat(path, &st);
    stat("/", &root);
    printf("%s: %s\n", path, found < 0 ? strerror(errno) : st.st_ino == root.st_ino ? "the root" : "a file inside");
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    mkdir("/tmp/d", 0700);
    symlink("/", "/tmp/d/up");
    symlink("../../../../..", "/tmp/d/climb");
    symlink("/home/outside-of-the-root", "/tmp/d/away");
    symlink("loop", "/tmp/d/loop");
    attempt("/..");
    attempt("/../../../..");
    attempt("/tmp/d/climb");
    attempt("/tmp/d/up");
    attempt("/tmp/d/up/../../main.wasm");
    attempt("/tmp/d/away");
    attempt("/tmp/d/loop");
    chdir("/tmp/d");
    attempt("../../../../../../main.wasm");
    attempt("../../../../../../home/outside-of-the-root");

    /* One changes where a link leads, the other follows it: it is here or it is not there, never outside. */
    close(open("/tmp/d/here", O_CREAT | O_WRONLY, 0600));
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 20; i++) {
            unlink("race");
            symlink(i % 2 ? "../../../../../../../home/outside-of-the-root" : "here", "race");
        }
        _exit(0);
    }
    int outside = 0;
    for (int i = 0; i < 40; i++) {
        int fd = open("race", O_RDONLY);
        outside += fd < 0 && errno != ENOENT;
        if (fd >= 0)
            close(fd);
    }
    waitpid(child, NULL, 0);
    printf("races lost: %d\n", outside);
    return 0;
}
