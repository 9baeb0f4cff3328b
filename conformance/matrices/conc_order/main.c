/* CONC-002: two cages and a pipe: either may be first, and both are whole. */
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int fds[2];
    char buffer[8];
    pipe(fds);
    for (int i = 0; i < 2; i++)
        if (fork() == 0) {
            write(fds[1], i ? "bb" : "aa", 2);
            _exit(0);
        }
    wait(NULL);
    wait(NULL);
    for (int got = 0; got < 4;)
        got += read(fds[0], buffer + got, 4 - got);
    write(1, buffer, 4);
    return 0;
}
