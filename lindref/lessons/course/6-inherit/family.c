/* Reads a file itself, has a child read it, and has a grandchild become another program that reads it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void look(const char *who)
{
    char text[64];
    int fd = open("/etc/motd", O_RDONLY);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text);
    printf("%s reads: %.*s", who, (int)got, text);
    fflush(stdout);
    close(fd);
}

int main(void)
{
    look("the program");
    if (fork() == 0) {
        look("its child");
        if (fork() == 0) {
            execl("/greet.wasm", "greet", NULL);
            _exit(1);
        }
        wait(NULL);
        return 0;
    }
    wait(NULL);
    return 0;
}
