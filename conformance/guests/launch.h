/* How the grates here start the program they watch over. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <errno.h>
#include <lind_syscall.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Fork; in the child, still with this image, let `interpose` register the handlers of this grate for it; then run
 * argv[1] there with the rest of argv. Registrations stay with the cage over the exec. The child's exit status,
 * 128 + n where signal n ended it. */
static inline int launch(char **argv, void (*interpose)(uint64_t child, uint64_t grate))
{
    if (!argv[1]) {
        fprintf(stderr, "%s: no program to run\n", argv[0]);
        return 2;
    }
    uint64_t grate = getpid();
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        return 2;
    }
    if (child == 0) {
        interpose(getpid(), grate);
        execve(argv[1], argv + 1, environ);
        perror(argv[1]);
        _exit(127);
    }
    int status = 0;
    while (waitpid(child, &status, 0) != child)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A string of another cage, copied into a buffer of this one: 0, or -EFAULT where there is none of that length. */
static inline int fetch_string(uint64_t grate, char *to, size_t size, uint64_t from, uint64_t cage)
{
    int copied = copy_data_between_cages(grate, grate, from, cage, (uintptr_t)to, grate, size, LIND_COPY_STRING);
    return copied == ELINDAPIABORTED ? -EFAULT : 0;
}

#endif
