/* A tree of processes three levels deep: every node has its own memory, and its parent collects what it returns. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int shared_by_nobody = 1;

/* Returns how many processes are in the subtree, which also is the exit status of its root. */
static int grow(int level, int path)
{
    pid_t children[2];
    pid_t me = getpid();
    if (level == 3)
        return 1;
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] < 0) {
            perror("fork");
            exit(99);
        }
        if (children[i] == 0) {
            if (getppid() != me || getpid() == me)
                _exit(98);
            shared_by_nobody = shared_by_nobody * 2 + i;
            _exit(grow(level + 1, path * 2 + i));
        }
    }
    int total = 1;
    for (int i = 0; i < 2; i++) {
        int status;
        pid_t got = waitpid(children[i], &status, 0);
        if (got != children[i] || !WIFEXITED(status))
            _exit(97);
        total += WEXITSTATUS(status);
    }
    if (shared_by_nobody != path)
        _exit(96);
    return total;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int total = grow(0, 1);
    printf("%d processes, mine is still %d\n", total, shared_by_nobody);

    /* Children that end in any order; the sum of what they say does not depend on it. */
    int sum = 0, count = 0, status;
    for (int i = 1; i <= 5; i++) {
        if (fork() == 0) {
            for (int j = 0; j < (6 - i) * 3; j++)
                (void)getpid();
            _exit(i * i);
        }
    }
    while (wait(&status) > 0) {
        sum += WEXITSTATUS(status);
        count++;
    }
    printf("%d children, sum %d\n", count, sum);

    /* What is in a stream's buffer at the fork belongs to both. */
    printf("before ");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        printf("child ");
        exit(3);
    }
    waitpid(child, &status, 0);
    printf("parent %d\n", WEXITSTATUS(status));
    return 0;
}
