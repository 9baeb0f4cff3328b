/* Makes a directory and a file in it, writes and reads, puts it away, and makes one mistake. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    mkdir("/tmp/d", 0750);
    int fd = open("/tmp/d/f", O_RDWR | O_CREAT, 0640);
    write(fd, "two\nlines\n", 10);
    lseek(fd, 4, SEEK_SET);
    char text[8];
    int got = read(fd, text, sizeof text);
    close(fd);
    write(1, "read\n", 5);
    rename("/tmp/d/f", "/tmp/f");
    unlink("/tmp/f");
    rmdir("/tmp/d");
    return rmdir("/tmp/d") < 0 ? got : 99;
}
