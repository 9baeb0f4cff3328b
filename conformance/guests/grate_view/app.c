/* Parent and child each write a file of the same name into one folder, and one beside it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void look(const char *who, const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY), got = fd < 0 ? -1 : (int)read(fd, text, sizeof text - 1);
    printf("%s finds in %s: %s\n", who, path, got < 0 ? strerror(errno) : text);
    close(fd);
}

static void leave(const char *who, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write(fd, who, strlen(who));
    close(fd);
}

int main(void)
{
    leave("the parent", "/tmp/name");
    leave("the parent", "/name");
    fflush(stdout);
    if (fork() == 0) {
        look("the child", "/tmp/name");
        look("the child", "/name");
        chdir("/");
        leave("the child", "tmp/name");
        leave("the child", "tmp/../name");
        look("the child", "./tmp/./name");
        return rename("/tmp/name", "/tmp/other") + 7;
    }
    int status;
    wait(&status);
    look("the parent", "/tmp/name");
    look("the parent", "/tmp/other");
    look("the parent", "/name");
    return WEXITSTATUS(status);
}
