/* One program, two futures. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int number = 40;
    pid_t child = fork();
    if (child == 0) {
        number += 2;
        printf("child: the number is %d\n", number);
        return number;
    }
    int status;
    waitpid(child, &status, 0);
    printf("parent: mine is %d, the child's was %d\n", number, WEXITSTATUS(status));
    return 0;
}
