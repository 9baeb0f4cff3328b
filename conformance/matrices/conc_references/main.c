/* CONC-003: a pipe ends for its reader when the last of all its writers is gone, whoever that is, and not before. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WRITERS = 4 };

int main(void)
{
    int fds[2], bytes = 0;
    pipe(fds);
    for (int i = 0; i < WRITERS; i++) {
        if (fork() == 0) {
            int more = dup(fds[1]);
            close(fds[0]);
            close(fds[1]);
            if (fork() == 0) {
                write(more, "gg", 2);
                _exit(0);
            }
            write(more, "c", 1);
            _exit(0);
        }
    }
    close(fds[1]);
    char buffer[8];
    ssize_t got;
    while ((got = read(fds[0], buffer, sizeof buffer)) > 0)
        bytes += got;
    int reaped = 0;
    while (wait(NULL) > 0)
        reaped++;
    printf("%d bytes, end %d, %d children\n", bytes, (int)got, reaped);
    return 0;
}
