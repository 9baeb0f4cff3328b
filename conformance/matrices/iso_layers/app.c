/* Beneath two policies on one call: both hold, here, in a child, and in another image. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void attempt(const char *where, mode_t mode)
{
    struct stat st;
    int done = chmod("/tmp/f", mode);
    const char *said = done < 0 ? strerror(errno) : "done";
    stat("/tmp/f", &st);
    printf("%s %o: %s, now %o\n", where, (unsigned)mode, said, (unsigned)st.st_mode & 07777);
}

int main(int argc, char **argv)
{
    (void)argv;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (argc > 1) {
        attempt("another image", 0707);
        attempt("another image", 02707);
        return 0;
    }
    close(open("/tmp/f", O_CREAT | O_WRONLY, 0600));
    attempt("here", 0777);
    attempt("here", 04755);
    pid_t child = fork();
    if (child == 0) {
        attempt("a child", 0666);
        attempt("a child", 06777);
        execl("app.wasm", "app.wasm", "again", NULL);
        _exit(9);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}
