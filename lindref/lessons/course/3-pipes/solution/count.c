/* Sends standard input to a child through a pipe; the child says how many bytes it got. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static char buffer[4096];

static void child(int from)
{
    ssize_t got;
    long total = 0;
    while ((got = read(from, buffer, sizeof buffer)) > 0)
        total += got;
    printf("%ld\n", total);
}

int main(void)
{
    int ends[2];
    ssize_t got;
    pipe(ends);
    if (fork() == 0) {
        close(ends[1]);
        child(ends[0]);
        return 0;
    }
    close(ends[0]);
    while ((got = read(0, buffer, sizeof buffer)) > 0)
        write(ends[1], buffer, got);
    close(ends[1]);
    wait(NULL);
    return 0;
}
