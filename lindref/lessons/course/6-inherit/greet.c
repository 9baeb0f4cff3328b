/* Says what stands in a file. */
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
    char text[64];
    int fd = open("/etc/motd", O_RDONLY);
    ssize_t got = read(fd, text, sizeof text);
    write(1, text, got);
    close(fd);
    return 0;
}
