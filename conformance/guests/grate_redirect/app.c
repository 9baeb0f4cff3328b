/* Reads the message of the day, and looks for the passwords. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    char text[128];
    int fd = open("/etc/motd", O_RDONLY);
    ssize_t got = read(fd, text, sizeof text);
    if (got < 0) {
        printf("/etc/motd: %s\n", strerror(errno));
        return 1;
    }
    close(fd);
    write(1, text, got);
    printf("/etc/shadow is %s\n", access("/etc/shadow", F_OK) == 0 ? "there" : "not there");
    return 0;
}
