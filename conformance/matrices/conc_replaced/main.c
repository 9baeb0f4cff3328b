/* CONC-002: a name is replaced again and again while others look: it is always there, whole, and one of the two; threads
   that open and close never get a number twice. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 12, THREADS = 3 };

static int taken[64], twice;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void put(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    write(fd, text, strlen(text));
    close(fd);
}

static void *opens(void *given)
{
    for (int i = 0; i < ROUNDS; i++) {
        int fd = open(given, O_RDONLY);
        pthread_mutex_lock(&lock);
        twice += taken[fd]++;
        pthread_mutex_unlock(&lock);
        pthread_mutex_lock(&lock);
        taken[fd]--;
        pthread_mutex_unlock(&lock);
        close(fd);
    }
    return NULL;
}

int main(void)
{
    put("tmp/name", "old");
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < ROUNDS; i++) {
            put("tmp/other", i % 2 ? "old" : "new");
            rename("tmp/other", "tmp/name");
        }
        _exit(0);
    }
    int whole = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char text[8] = "";
        int fd = open("tmp/name", O_RDONLY);
        whole += fd >= 0 && read(fd, text, 8) == 3 && (!strcmp(text, "old") || !strcmp(text, "new"));
        close(fd);
    }
    waitpid(child, NULL, 0);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, opens, "tmp/name");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("whole %d of %d, numbers given twice %d, left over %d\n", whole, ROUNDS, twice, access("tmp/other", F_OK) == 0);
    return 0;
}
