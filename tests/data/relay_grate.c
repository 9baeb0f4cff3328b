/* A grate that passes geteuid on to what is beneath. Its exit status is that of the program it starts. */
#include <lind_syscall.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

LIND_GRATE_ENTRY

static int on_geteuid(LIND_HANDLER_PARAMS)
{
    return lind_forward(LIND_CALL_GETEUID);
}

int main(int argc, char **argv)
{
    (void)argc;
    uint64_t grate = getpid();
    pid_t child = fork();
    if (child == 0) {
        uint64_t me = getpid();
        register_handler(me, LIND_CALL_GETEUID, grate, LIND_HANDLER(on_geteuid));
        execv(argv[1], argv + 1);
        _exit(100);
    }
    int status = 0;
    wait(&status);
    return status >> 8;
}
