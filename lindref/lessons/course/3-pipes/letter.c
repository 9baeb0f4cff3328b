/* A child waits for a letter that its parent has not written yet. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    char text[32];
    int ends[2];
    pipe(ends);
    if (fork() == 0) {
        ssize_t got = read(ends[0], text, sizeof text);
        printf("child read %d bytes\n", (int)got);
        return 0;
    }
    write(ends[1], "dear child", 10);
    wait(NULL);
    return 0;
}
