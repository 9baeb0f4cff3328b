/* Threads share descriptors, positions and the working directory; one waits in a call while others go on. */
#include "../names.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>

static int fds[2], answer[2], file;

static void *reader(void *argument)
{
    long sum = 0, got;
    unsigned char bytes[7];
    while ((got = read(fds[0], bytes, sizeof bytes)) > 0)
        for (long i = 0; i < got; i++)
            sum += bytes[i];
    (void)argument;
    return (void *)(intptr_t)sum;
}

static void *writer(void *argument)
{
    unsigned char bytes[10];
    memset(bytes, (int)(intptr_t)argument, sizeof bytes);
    for (int i = 0; i < 5; i++)
        write_all(fds[1], bytes, sizeof bytes);
    return NULL;
}

static void *open_it(void *argument)
{
    file = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(file, "0123456789", 10);
    lseek(file, 4, SEEK_SET);
    return argument;
}

static void *poller(void *argument)
{
    struct pollfd entry = {answer[0], POLLIN, 0};
    int count = poll(&entry, 1, 5000);
    (void)argument;
    return (void *)(intptr_t)(count * 100 + (entry.revents & POLLIN ? 1 : 0));
}

static void *appender(void *argument)
{
    char line[16];
    int fd = open("log", O_WRONLY | O_APPEND | O_CREAT, 0600);
    for (int i = 0; i < 10; i++) {
        int length = snprintf(line, sizeof line, "%d:%d\n", (int)(intptr_t)argument, i);
        write(fd, line, length);
    }
    close(fd);
    return NULL;
}

int main(void)
{
    pthread_t threads[5];
    void *result;
    char text[16];
    pipe(fds);
    pipe(answer);
    pthread_create(&threads[0], NULL, reader, NULL);
    for (intptr_t i = 1; i <= 3; i++)
        pthread_create(&threads[i], NULL, writer, (void *)i);
    for (int i = 1; i <= 3; i++)
        pthread_join(threads[i], NULL);
    close(fds[1]);
    pthread_join(threads[0], &result);
    printf("sum %d\n", (int)(intptr_t)result);

    pthread_create(&threads[0], NULL, open_it, NULL);
    pthread_join(threads[0], NULL);
    show("its file is mine", read(file, text, 3));
    printf("%.3s\n", text);

    pthread_create(&threads[0], NULL, poller, NULL);
    usleep(10000);
    write(answer[1], "!", 1);
    pthread_join(threads[0], &result);
    printf("poll %d\n", (int)(intptr_t)result);

    for (intptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, appender, (void *)i);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    FILE *log = fopen("log", "r");
    int who, what, next[4] = {0}, lines = 0, wrong = 0;
    while (fscanf(log, "%d:%d\n", &who, &what) == 2) {
        wrong += what != next[who]++;
        lines++;
    }
    printf("%d lines, %d out of order\n", lines, wrong);
    return 0;
}
