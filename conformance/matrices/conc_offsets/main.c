/* CONC-004: cages that share a description share its offset, and no record is lost; a number that is replaced again and
   again is never missing. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAGES = 4, RECORDS = 6, ROUNDS = 10 };

static int number, missing;

static void *replaces(void *given)
{
    int other = *(int *)given;
    for (int i = 0; i < ROUNDS; i++)
        if (dup2(other, number) != number)
            missing++;
    return NULL;
}

int main(void)
{
    int fd = open("tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0600), seen[CAGES] = {0};
    for (int c = 0; c < CAGES; c++)
        if (fork() == 0) {
            char record[5];
            snprintf(record, sizeof record, "%d%03d", c, c * 111);
            for (int i = 0; i < RECORDS; i++)
                write(fd, record, 4);
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    char record[5] = "";
    int broken = 0;
    printf("offset %ld\n", (long)lseek(fd, 0, SEEK_CUR));
    lseek(fd, 0, SEEK_SET);
    while (read(fd, record, 4) == 4) {
        int c = record[0] - '0', rest = 0;
        sscanf(record + 1, "%d", &rest);
        broken += rest != c * 111;
        seen[c]++;
    }
    printf("records %d %d %d %d, broken %d\n", seen[0], seen[1], seen[2], seen[3], broken);
    int one = open("tmp/one", O_RDWR | O_CREAT, 0600), two = open("tmp/two", O_RDWR | O_CREAT, 0600);
    number = dup(one);
    write(number, "moved", 5);
    printf("offset of the other: %ld\n", (long)lseek(one, 0, SEEK_CUR));
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, replaces, &one);
    pthread_create(&threads[1], NULL, replaces, &two);
    for (int i = 0; i < ROUNDS; i++)
        if (fcntl(number, F_GETFD) < 0)
            missing++;
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    int closed = close(number);
    printf("missing %d, closes %d, then %s\n", missing, closed,
           close(number) < 0 && errno == EBADF ? "EBADF" : "closed again");
    return 0;
}
