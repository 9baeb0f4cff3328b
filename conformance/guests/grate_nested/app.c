/* A cage under a grate that serves calls of its own child: the child does not exec, it goes on with this image. */
#include <lind_syscall.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

LIND_GRATE_ENTRY

static int served;

/* Negative, and on to the grate beneath: the child's id travels with the arguments. */
static int negative(LIND_HANDLER_PARAMS)
{
    served++;
    return 1000 + lind_forward(LIND_CALL_GETPPID);
}

int main(void)
{
    int status;
    printf("app: getppid %d\n", (int)getppid());
    fflush(stdout);
    uint64_t me = getpid();
    if (fork() == 0) {
        printf("child: before %d\n", (int)getppid());
        register_handler(getpid(), LIND_CALL_GETPPID, me, LIND_HANDLER(negative));
        printf("child: under two %d\n", (int)getppid());
        fflush(stdout);
        if (fork() == 0) {
            printf("grandchild: under two %d\n", (int)getppid());
            return 0;
        }
        wait(&status);
        return 11;
    }
    wait(&status);
    printf("app: served %d, child ended with %d, own getppid %d\n", served, WEXITSTATUS(status), (int)getppid());
    return 0;
}
