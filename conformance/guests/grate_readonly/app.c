/* Tries to change what there is; the number of refusals is the exit status. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refusals;

static void tried(const char *what, int result)
{
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "done");
    refusals += result < 0;
}

int main(void)
{
    char first;
    int fd = open("/app.c", O_RDONLY);
    tried("read", read(fd, &first, 1));
    tried("open for reading, by descriptor", openat(AT_FDCWD, "/app.c", O_RDONLY));
    tried("open for writing", open("/app.c", O_WRONLY));
    tried("open for both", openat(AT_FDCWD, "/app.c", O_RDWR));
    tried("make a file", open("/tmp/new", O_RDONLY | O_CREAT, 0600));
    tried("empty", open("/app.c", O_RDONLY | O_TRUNC));
    tried("mkdir", mkdir("/tmp/d", 0700));
    tried("rmdir", rmdir("/tmp"));
    tried("unlink", unlink("/app.c"));
    tried("unlinkat", unlinkat(AT_FDCWD, "/app.c", 0));
    tried("rename", rename("/app.c", "/b.c"));
    tried("link", link("/app.c", "/tmp/l"));
    tried("symlink", symlink("/app.c", "/tmp/s"));
    tried("chmod", chmod("/app.c", 0777));
    tried("fchmod", fchmod(fd, 0777));
    tried("truncate", truncate("/app.c", 0));
    tried("still there", access("/app.c", R_OK));
    return refusals;
}
