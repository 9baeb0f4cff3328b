/* One process serves many clients with select; a chat in which everybody hears everybody. */
#include "../net.h"

#include <sys/select.h>

#define CLIENTS 4

static void client(int port, int number)
{
    char text[16], heard[16] = "";
    int fd = connect_to(port), count = 0;
    read_all(fd, text, 1); /* all are there */
    text[0] = 'A' + number;
    write_all(fd, text, 1);
    while (count < CLIENTS - 1 && read(fd, heard + count, 1) == 1)
        count++;
    int seen = 0;
    for (int i = 0; i < count; i++)
        seen |= 1 << (heard[i] - 'A');
    _exit(seen == (((1 << CLIENTS) - 1) & ~(1 << number)) ? number : 99);
}

int main(void)
{
    int port, fds[CLIENTS], connected = 0, finished = 0, messages = 0, order = 0;
    int listener = listen_somewhere(&port, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        if (fork() == 0)
            client(port, i);
    while (finished < CLIENTS) {
        fd_set set;
        int top = listener;
        FD_ZERO(&set);
        if (connected < CLIENTS)
            FD_SET(listener, &set);
        for (int i = 0; i < connected; i++) {
            if (fds[i] < 0)
                continue;
            FD_SET(fds[i], &set);
            top = fds[i] > top ? fds[i] : top;
        }
        if (select(top + 1, &set, NULL, NULL, NULL) < 0)
            return 1;
        if (FD_ISSET(listener, &set)) {
            fds[connected++] = accept(listener, NULL, NULL);
            for (int i = 0; connected == CLIENTS && i < CLIENTS; i++)
                write_all(fds[i], "!", 1);
            continue;
        }
        for (int i = 0; i < connected; i++) {
            char c;
            if (fds[i] < 0 || !FD_ISSET(fds[i], &set))
                continue;
            if (read(fds[i], &c, 1) <= 0) {
                close(fds[i]);
                fds[i] = -1;
                finished++;
                continue;
            }
            messages++;
            order |= 1 << (c - 'A');
            for (int k = 0; k < CLIENTS; k++)
                if (k != i && fds[k] >= 0)
                    write_all(fds[k], &c, 1);
        }
    }
    int status, sum = 0;
    while (wait(&status) > 0)
        sum += WEXITSTATUS(status);
    printf("%d messages from %d, statuses %d\n", messages, order, sum);
    return 0;
}
