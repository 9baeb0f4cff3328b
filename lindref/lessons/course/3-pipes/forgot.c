/* The child reads to the end of the letter. Where is the end? */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    char text[32];
    int ends[2], total = 0;
    pipe(ends);
    if (fork() == 0) {
        ssize_t got;
        while ((got = read(ends[0], text, sizeof text)) > 0)
            total += got;
        printf("child read %d bytes\n", total);
        return 0;
    }
    write(ends[1], "dear child", 10);
    close(ends[1]);
    wait(NULL);
    return 0;
}
