/* CONC-001: cages come and go while others call. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 2, MANY = 4 };

int main(void)
{
    int fds[2], total = 0, reaped = 0, right = 0;
    pipe(fds);
    for (int round = 0; round < ROUNDS; round++) {
        pid_t children[MANY];
        for (int i = 0; i < MANY; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                for (int k = 0; k < 2; k++) {
                    int fd = open("tmp/f", O_RDWR | O_CREAT, 0600);
                    close(fd);
                    if (fork() == 0)
                        _exit(0);
                    wait(NULL);
                }
                write(fds[1], "x", 1);
                _exit(getpid() % 100);
            }
        }
        for (int i = 0; i < MANY; i++) {
            int status;
            reaped += waitpid(children[i], &status, 0) == children[i];
            right += WIFEXITED(status) && WEXITSTATUS(status) == children[i] % 100;
        }
    }
    close(fds[1]);
    char byte;
    while (read(fds[0], &byte, 1) == 1)
        total++;
    printf("%d wrote, %d reaped, %d right, left %d\n", total, reaped, right, wait(NULL));
    return 0;
}
