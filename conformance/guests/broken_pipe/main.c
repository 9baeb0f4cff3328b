/* Writing to what nobody reads: the signal, and the error when it is ignored or handled. */
#include "../names.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

static volatile sig_atomic_t caught;

static void catch(int number)
{
    caught += number == SIGPIPE;
}

static void in_child(const char *how, int use_socket, int flags, void (*handler)(int))
{
    int status;
    fflush(stdout);
    if (fork() == 0) {
        int fds[2];
        signal(SIGPIPE, handler);
        if (use_socket)
            socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
        else
            pipe(fds);
        close(fds[0]);
        long put = use_socket ? send(fds[1], "x", 1, flags) : write(fds[1], "x", 1);
        _exit(put < 0 && errno == EPIPE ? 10 + caught : 99);
    }
    wait(&status);
    printf("%s: %s %d\n", how, WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

int main(void)
{
    in_child("pipe, default", 0, 0, SIG_DFL);
    in_child("pipe, ignored", 0, 0, SIG_IGN);
    in_child("pipe, handled", 0, 0, catch);
    in_child("socket, no signal", 1, MSG_NOSIGNAL, SIG_DFL);
    in_child("socket, ignored", 1, 0, SIG_IGN);

    /* A pipe is broken only when the last reader is gone. */
    int fds[2];
    signal(SIGPIPE, SIG_IGN);
    pipe(fds);
    int copy = dup(fds[0]);
    close(fds[0]);
    show("one reader left", write(fds[1], "x", 1));
    if (fork() == 0) {
        close(fds[1]);
        usleep(20000);
        _exit(0);
    }
    close(copy);
    show("the child has it", write(fds[1], "x", 1));
    wait(NULL);
    show("nobody", write(fds[1], "x", 1));
    return 0;
}
