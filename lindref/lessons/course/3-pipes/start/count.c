/* Sends standard input to a child through a pipe; the child says how many bytes it got. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static char buffer[4096];

static void child(int from)
{
    long total = 0;
    total += read(from, buffer, sizeof buffer);
    printf("%ld\n", total);
}

int main(void)
{
    int ends[2];
    ssize_t got;
    pipe(ends);
    if (fork() == 0) {
        child(ends[0]);
        return 0;
    }
    while ((got = read(0, buffer, sizeof buffer)) > 0)
        write(ends[1], buffer, got);
    wait(NULL);
    return 0;
}
