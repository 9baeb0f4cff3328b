/* The image after exec: asks, forks, and lets the grandchild ask. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    printf("second: %d\n", (int)geteuid());
    fflush(stdout);
    if (fork() == 0) {
        printf("grandchild: %d\n", (int)geteuid());
        return 0;
    }
    wait(NULL);
    return 5;
}
