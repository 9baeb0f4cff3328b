/* Beneath both policies. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void show(const char *what, int result)
{
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "done");
}

int main(void)
{
    show("mkdir /d", mkdir("/d", 0700));
    show("mkdir /tmp/d", mkdir("/tmp/d", 0700));
    close(open("/tmp/f", O_CREAT | O_WRONLY, 0600));
    show("unlink /tmp/f", unlink("/tmp/f"));
    show("rmdir /tmp/d", rmdir("/tmp/d"));
    show("rename /tmp/f", rename("/tmp/f", "/tmp/g"));
    show("there", access("/tmp/g", F_OK));
    return 0;
}
