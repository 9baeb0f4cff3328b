/* Two cages make the call that a grate counts. */
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    pid_t child = fork();
    geteuid();
    if (child)
        wait(0);
    return 0;
}
