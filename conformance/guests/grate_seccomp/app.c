/* Removes what it made and asks who it is; the number of refusals is the exit status. */
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
    tried("mkdir", mkdir("/tmp/d", 0700));
    tried("rmdir", rmdir("/tmp/d"));
    tried("make a file", open("/tmp/f", O_RDONLY | O_CREAT, 0600));
    tried("unlink", unlink("/tmp/f"));
    tried("unlinkat", unlinkat(AT_FDCWD, "/tmp/f", 0));
    tried("getuid", getuid());
    tried("getgid", getgid());
    tried("geteuid", geteuid());
    tried("getppid", getppid());
    return refusals;
}
