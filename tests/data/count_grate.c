/* A grate that counts a call without a lock: two workers at once may lose one. Its exit status is the count. */
#include <lind_syscall.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

LIND_GRATE_ENTRY

static volatile int count;

static int on_geteuid(LIND_HANDLER_PARAMS)
{
    count = count + 1;
    return 0;
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
    wait(0);
    return count;
}
