/* Two children work out a digit each; the parent puts the digits together. It should print 42, always. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t work(int digit)
{
    pid_t child = fork();
    if (child == 0)
        _exit(digit);
    return child;
}

int main(void)
{
    int status, number = 0;
    work(4);
    work(2);
    wait(&status);
    number = 10 * number + WEXITSTATUS(status);
    wait(&status);
    number = 10 * number + WEXITSTATUS(status);
    printf("%d\n", number);
    return 0;
}
