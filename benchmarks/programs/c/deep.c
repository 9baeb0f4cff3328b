/* Forks ten calls deep in the middle of a computation, with 4 MiB written before each: deep TIMES. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 4 << 20 };

static char room[SIZE];

__attribute__((noinline)) static unsigned down(unsigned depth, unsigned x, unsigned long y)
{
    if (depth) {
        unsigned below = down(depth - 1, x * 31 + depth, y ^ x);
        return below + (unsigned)(y >> (depth & 7));
    }
    int status;
    pid_t child = fork();
    if (!child)
        _exit(7);
    if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 7)
        _exit(1);
    return x;
}

int main(int argc, char **argv)
{
    unsigned times = 0, sum = 0;
    for (const char *digit = argc > 1 ? argv[1] : "1"; *digit; digit++)
        times = times * 10 + (unsigned)(*digit - '0');
    for (unsigned i = 0; i < times; i++) {
        memset(room, (int)i + 1, SIZE);
        sum += down(10, i, sum);
        sum += room[sum % SIZE]; /* so that it is really written */
    }
    printf("sum %u\n", sum);
    return 0;
}
