/* CONC-001: several threads of a cage make cages at once, of which some take another image, and each thread finds its
   own children. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, EACH = 3 };

static void *makes(void *given)
{
    int number = (int)(long)given;
    long right = 0;
    for (int i = 0; i < EACH; i++) {
        int code = 10 * number + i + 1;
        pid_t child = fork();
        if (child == 0) {
            if (i == 1) {
                char word[8];
                snprintf(word, sizeof word, "%d", code);
                execl("main.wasm", "main.wasm", word, NULL);
            }
            _exit(code);
        }
        int status;
        right += waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == code;
    }
    return (void *)right;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        int code = 0;
        for (char *c = argv[1]; *c; c++)
            code = 10 * code + *c - '0';
        return code;
    }
    pthread_t threads[THREADS];
    long right = 0;
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, makes, (void *)i);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        right += (long)result;
    }
    printf("%ld of %d children right, left %d\n", right, THREADS * EACH, (int)wait(NULL));
    return 0;
}
