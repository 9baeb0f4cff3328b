/* What the program sees that takes the place of another. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
    char text[8] = "";
    struct sigaction action;
    printf("  %d arguments:", argc - 1);
    for (int i = 1; i < argc; i++)
        printf(" [%s]", argv[i]);
    printf("\n  KEPT %s, ONLY %s\n", getenv("KEPT") ? getenv("KEPT") : "-", getenv("ONLY") ? getenv("ONLY") : "-");
    ssize_t got = pread(3, text, 4, 0);
    printf("  3: %zd [%s], at %d\n", got, text, (int)lseek(3, 0, SEEK_CUR));
    got = read(4, text, 1);
    printf("  4: %zd %s\n", got, got < 0 && errno == EBADF ? "EBADF" : "");
    sigaction(SIGUSR1, NULL, &action);
    printf("  handler %s\n", action.sa_handler == SIG_DFL ? "default" : "kept");
    return argc * 10;
}
