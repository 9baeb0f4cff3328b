/* Four threads and a child write the same line. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static void *speak(void *nothing)
{
    write(1, "a line\n", 7);
    return nothing;
}

int main(void)
{
    pthread_t threads[4];
    int status;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, speak, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    if (fork() == 0) {
        speak(NULL);
        _exit(3);
    }
    wait(&status);
    return WEXITSTATUS(status);
}
