/* Two cages, or with an argument two threads, take a number each from a grate. The exit status has both. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static int other;

static void *take(void *unused)
{
    other = geteuid();
    return unused;
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        pthread_t thread;
        pthread_create(&thread, 0, take, 0);
        int own = geteuid();
        pthread_join(thread, 0);
        return own * 10 + other;
    }
    pid_t child = fork();
    int own = geteuid();
    if (child == 0)
        return own;
    int status = 0;
    wait(&status);
    return own * 10 + (status >> 8);
}
