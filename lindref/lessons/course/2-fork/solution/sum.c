/* Two children work out a digit each; the parent asks for each by its name. */
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

static int result(pid_t child)
{
    int status;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

int main(void)
{
    pid_t tens = work(4), ones = work(2);
    int number = 10 * result(tens);
    number += result(ones);
    printf("%d\n", number);
    return 0;
}
