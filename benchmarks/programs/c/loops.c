/* A loop of many rounds that is interrupted again and again: loops plain|block|fork|signal ROUNDS. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int taken;

static void handler(int number)
{
    (void)number;
    taken++;
}

static void disturb(const char *how, const int *pipes)
{
    char c = 'x';
    int status;
    if (!strcmp(how, "block")) {
        /* The child reads, and only then writes: this read has to wait. */
        if (write(pipes[1], &c, 1) != 1 || read(pipes[2], &c, 1) != 1)
            _exit(3);
    } else if (!strcmp(how, "fork")) {
        if (!fork())
            _exit(0);
        wait(&status);
    } else if (!strcmp(how, "signal")) {
        kill(getpid(), SIGUSR1);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    unsigned rounds = 0, x = 1, sum = 0;
    for (const char *digit = argv[2]; *digit; digit++)
        rounds = rounds * 10 + (unsigned)(*digit - '0');
    int there[2], back[2], pipes[3] = {0};
    signal(SIGUSR1, handler);
    if (!strcmp(argv[1], "block")) {
        if (pipe(there) || pipe(back))
            return 1;
        if (!fork()) {
            char c;
            close(there[1]);
            while (read(there[0], &c, 1) == 1)
                if (write(back[1], &c, 1) != 1)
                    _exit(1);
            _exit(0);
        }
        pipes[1] = there[1];
        pipes[2] = back[0];
    }
    unsigned often = rounds / 20 + 1;
    for (unsigned i = 0; i < rounds; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        sum += x & 255;
        if (i % often == often - 1)
            disturb(argv[1], pipes);
    }
    printf("sum %u, signals %d\n", sum, taken);
    return 0;
}
