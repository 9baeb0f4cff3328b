/* Tries what it may and what it may not; the number of refusals is the exit status. */
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
    tried("read /keep.txt", open("/keep.txt", O_RDONLY));
    tried("write /keep.txt", open("/keep.txt", O_WRONLY));
    tried("empty /keep.txt", open("/keep.txt", O_RDONLY | O_TRUNC));
    tried("remove /keep.txt", unlink("/keep.txt"));
    tried("make /d", mkdir("/d", 0755));
    tried("make /tmp/d", mkdir("/tmp/d", 0755));
    tried("create /tmp/d/f", open("/tmp/d/f", O_WRONLY | O_CREAT, 0600));
    tried("climb out", open("/tmp/../keep.txt", O_WRONLY));
    tried("move it out", rename("/tmp/d/f", "/f"));
    tried("move it about", rename("/tmp/d/f", "/tmp/g"));
    tried("remove /tmp/g", unlink("/tmp/g"));
    tried("read the kept file again", open("/keep.txt", O_RDONLY));
    return refusals;
}
