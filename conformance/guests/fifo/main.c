/* Named pipes: both ends have to be there, or not when one does not want to wait. */
#include "../names.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

int main(void)
{
    char text[32];
    struct stat status;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    show("mkfifo", mkfifo("queue", 0600));
    show("again", mkfifo("queue", 0600));
    stat("queue", &status);
    printf("a fifo %d\n", S_ISFIFO(status.st_mode));
    show("writer without reader", open("queue", O_WRONLY | O_NONBLOCK));
    int reader = open("queue", O_RDONLY | O_NONBLOCK);
    printf("reader %d\n", reader >= 0);
    show("no writer", read(reader, text, 1));
    int writer = open("queue", O_WRONLY | O_NONBLOCK);
    show("empty", read(reader, text, 1));
    show("write", write(writer, "through a name", 14));
    long got = read_all(reader, text, 14);
    printf("%.*s\n", (int)got, text);
    show("seek", lseek(reader, 0, SEEK_SET));
    close(writer);
    show("end", read(reader, text, 1));
    close(reader);
    if (fork() == 0) {
        int fd = open("queue", O_WRONLY);
        write_all(fd, "from the child", 14);
        _exit(0);
    }
    reader = open("queue", O_RDONLY);
    got = read_all(reader, text, sizeof text);
    printf("%.*s\n", (int)got, text);
    wait(NULL);
    show("directory", mkfifo("no/where", 0600));
    show("regular", mknod("plain", S_IFREG | 0600, 0));
    stat("plain", &status);
    printf("regular %d, size %d\n", S_ISREG(status.st_mode), (int)status.st_size);
    show("unlink", unlink("queue"));
    return 0;
}
