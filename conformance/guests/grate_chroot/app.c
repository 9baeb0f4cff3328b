/* Looks about from /, from below, and upwards; none of its ways leads to the file beside the folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void look(const char *path)
{
    char text[64];
    int fd = open(path, O_RDONLY), got = fd < 0 ? -1 : (int)read(fd, text, sizeof text);
    printf("%s: %.*s", path, got < 0 ? 0 : got, text);
    if (got < 0)
        printf("%s\n", strerror(errno));
    close(fd);
}

static void stand(const char *path)
{
    char where[64];
    int moved = chdir(path);
    printf("chdir %s: %s, in %s\n", path, moved < 0 ? strerror(errno) : "done", getcwd(where, sizeof where));
}

int main(void)
{
    char *argv[] = {"app.wasm", NULL}, *env[] = {NULL};
    look("/motd");
    look("motd");
    look("/sandbox/motd");
    look("../../app.c");
    stand("/deep");
    look("note");
    look("../motd");
    look(".././../app.c");
    stand("..");
    stand("/none");
    printf("chmod through a folder: %d\n", fchmodat(open("/deep", O_RDONLY), "../../app.c", 0600, 0));
    printf("symlink: %d\n", symlink("/app.c", "/way_out"));
    printf("exec: %d %s\n", execve("/app.wasm", argv, env), strerror(errno));
    return access("/app.c", F_OK) < 0 ? 5 : 1;
}
