/* A small HTTP/1.1 server: one poll loop, connections that are kept alive, an echo of what is posted.
 *
 *   http_server COUNT [PORT]    answers COUNT requests on the loopback and ends
 *
 * Paths: /hello, /big (300,000 bytes), /echo (what was posted); others are 404. It prints the port it got. */
#include <errno.h>
#include <fcntl.h>
#include <lind_syscall.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct address {
    uint16_t family, port; /* port: network order */
    uint8_t host[4], zero[8];
};

static int ask(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    uint64_t me = lind_get_cage_id();
    return make_threei_call(number, 0, me, me, a, me, b, me, c, me, d, me, e, me, LIND_NOTUSED, me, 1);
}

enum { CONNECTIONS = 16, ROOM = 70000, BIG = 300000 };

struct connection {
    int fd;
    size_t used;
    char in[ROOM];
    char *out;
    size_t size, sent;
    int last;
};
static struct connection connections[CONNECTIONS];
static char big[BIG];
static int left;

static void finish(struct connection *c)
{
    close(c->fd);
    free(c->out);
    memset(c, 0, sizeof *c);
    c->fd = -1;
}

static void answer(struct connection *c, int status, const char *body, size_t length, int close_after)
{
    c->out = malloc(length + 200);
    c->size = snprintf(c->out, 200, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n", status,
                       status == 200 ? "OK" : "Not Found", length, close_after ? "close" : "keep-alive");
    memcpy(c->out + c->size, body, length);
    c->size += length;
    c->sent = 0;
    c->last = close_after;
    left--;
}

static const char *field(const char *head, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = strchr(head, '\n'); line != NULL; line = strchr(line, '\n'))
        if (strncasecmp(++line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " ");
    return NULL;
}

/* Serve the first request of the buffer if it is whole. */
static void serve(struct connection *c)
{
    c->in[c->used] = 0;
    char *end = strstr(c->in, "\r\n\r\n");
    if (end == NULL || c->out != NULL)
        return;
    size_t head = end + 4 - c->in;
    end[2] = 0;
    const char *value = field(c->in, "Content-Length");
    size_t body = value != NULL ? (size_t)atoi(value) : 0;
    value = field(c->in, "Connection");
    int last = value != NULL && strncasecmp(value, "close", 5) == 0;
    if (c->used < head + body) {
        end[2] = '\r';
        return;
    }
    char method[8] = "", path[64] = "";
    sscanf(c->in, "%7s %63s", method, path);
    if (strcmp(path, "/hello") == 0)
        answer(c, 200, "hello from a cage\n", 18, last);
    else if (strcmp(path, "/big") == 0)
        answer(c, 200, big, BIG, last);
    else if (strcmp(path, "/echo") == 0)
        answer(c, 200, c->in + head, body, last);
    else
        answer(c, 404, "no such page\n", 13, last);
    memmove(c->in, c->in + head + body, c->used - head - body);
    c->used -= head + body;
}

static void move(struct connection *c, int events)
{
    if (events & (POLLIN | POLLHUP | POLLERR)) {
        ssize_t count = read(c->fd, c->in + c->used, ROOM - 1 - c->used);
        if (count == 0 || (count < 0 && errno != EAGAIN)) {
            finish(c);
            return;
        }
        if (count > 0)
            c->used += count;
    }
    serve(c);
    while (c->out != NULL && c->sent < c->size) {
        ssize_t count = write(c->fd, c->out + c->sent, c->size - c->sent);
        if (count < 0)
            return;
        c->sent += count;
    }
    if (c->out != NULL) {
        free(c->out);
        c->out = NULL;
        if (c->last)
            finish(c);
        else if (c->used > 0)
            move(c, 0);
    }
}

int main(int argc, char **argv)
{
    left = argc > 1 ? atoi(argv[1]) : 1;
    unsigned port = argc > 2 ? atoi(argv[2]) : 0;
    struct address here = {2, (uint16_t)(port << 8 | port >> 8), {0}, {0}};
    int on = 1;
    int listener = ask(LIND_CALL_SOCKET, 2, 1 | 04000, 0, 0, 0);
    ask(LIND_CALL_SETSOCKOPT, listener, 1, 2, lind_host_address(&on), sizeof on);
    if (ask(LIND_CALL_BIND, listener, lind_host_address(&here), sizeof here, 0, 0) < 0) {
        printf("bind: %s\n", strerror(errno));
        return 1;
    }
    if (ask(LIND_CALL_LISTEN, listener, 8, 0, 0, 0) < 0) {
        printf("listen: %s\n", strerror(errno));
        return 1;
    }
    int size = sizeof here;
    ask(LIND_CALL_GETSOCKNAME, listener, lind_host_address(&here), lind_host_address(&size), 0, 0);
    printf("%d\n", (here.port & 255) << 8 | here.port >> 8);
    fflush(stdout);
    memset(big, 'x', BIG);
    for (int i = 0; i < CONNECTIONS; i++)
        connections[i].fd = -1;
    int busy = 1;
    while (left > 0 || busy) {
        struct pollfd polled[CONNECTIONS + 1];
        struct connection *whose[CONNECTIONS + 1];
        int count = 1;
        struct connection *spare = NULL;
        for (int i = 0; i < CONNECTIONS; i++) {
            struct connection *c = &connections[i];
            if (c->fd < 0) {
                spare = c;
                continue;
            }
            whose[count] = c;
            polled[count++] = (struct pollfd){c->fd, c->out != NULL ? POLLOUT : POLLIN, 0};
        }
        polled[0] = (struct pollfd){listener, spare != NULL ? POLLIN : 0, 0};
        int ready = ask(LIND_CALL_POLL, lind_host_address(polled), count, 10000, 0, 0);
        if (ready <= 0) {
            printf("nobody came\n");
            return 1;
        }
        for (int i = 1; i < count; i++)
            if (polled[i].revents != 0)
                move(whose[i], polled[i].revents);
        if (polled[0].revents & POLLIN) {
            int fd = ask(LIND_CALL_ACCEPT4, listener, 0, 0, 04000, 0);
            if (fd >= 0)
                spare->fd = fd;
        }
        busy = 0;
        for (int i = 0; i < CONNECTIONS; i++)
            busy |= connections[i].fd >= 0 && connections[i].out != NULL;
    }
    printf("done\n");
    return 0;
}
