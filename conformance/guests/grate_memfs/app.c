/* Writes a file and reads it back, in the child too, with and beside what is on disk; then removes it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void said(const char *what, long result)
{
    if (result < 0)
        printf("%s: %s\n", what, strerror(errno));
    else
        printf("%s: %ld\n", what, result);
}

static void rest(const char *who, int fd)
{
    char text[64] = "";
    long got = read(fd, text, sizeof text - 1);
    printf("%s reads: %s\n", who, got < 0 ? strerror(errno) : text);
}

int main(void)
{
    struct stat about;
    int fd = open("/mem/a", O_RDWR | O_CREAT, 0600), other;
    said("opened", fd >= 512);
    said("write", write(fd, "hello world", 11));
    said("lseek", lseek(fd, 6, SEEK_SET));
    rest("the parent", fd);
    lseek(fd, 0, SEEK_SET);
    fflush(stdout);
    if (fork() == 0) {
        rest("the child", fd);
        other = open("/mem/a", O_WRONLY | O_APPEND);
        said("append", write(other, ", said the child", 16));
        said("read what is write-only", read(other, &about, 1));
        said("close", close(other));
        said("close again", close(other));
        fflush(stdout);
        _exit(3);
    }
    int status;
    wait(&status);
    rest("the parent", fd);
    said("fstat", fstat(fd, &about));
    printf("%ld bytes, a file: %d\n", (long)about.st_size, S_ISREG(about.st_mode));
    said("there is none", open("/mem/b", O_RDONLY));
    said("there is one", open("/mem/a", O_RDWR | O_CREAT | O_EXCL, 0600));
    said("on disk", stat("/app.c", &about));
    said("unlink", unlink("/mem/a"));
    said("unlink again", unlink("/mem/a"));
    said("read on", read(fd, &about, 1));
    return WEXITSTATUS(status);
}
