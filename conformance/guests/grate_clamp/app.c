/* The same in the folder and beside it: what it wrote, and whether it could be removed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int kept;

static void use(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    write(fd, "some words", 10);
    lseek(fd, 0, SEEK_SET);
    read(fd, text, sizeof text - 1);
    close(fd);
    int removed = unlink(path);
    printf("%s: %s, %s\n", path, text, removed < 0 ? strerror(errno) : "removed");
    kept += removed < 0;
}

int main(void)
{
    mkdir("/tmp/box", 0700);
    mkdir("/tmp/boxes", 0700);
    use("/tmp/box/a");
    use("/tmp/boxes/a");
    use("/tmp/a");
    return kept;
}
