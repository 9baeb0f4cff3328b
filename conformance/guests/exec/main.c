/* exec: what goes over to the new program and what does not, and what cannot be run. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void handler(int number)
{
    (void)number;
}

static int run(int how)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char *arguments[] = {"other.wasm", "a", "b c", "", NULL};
        char *variables[] = {"ONLY=this", "TWO=2", NULL};
        switch (how) {
        case 0: execv("./other.wasm", arguments); break;
        case 1: execve("other.wasm", arguments, variables); break;
        case 2: execl("./other.wasm", "other.wasm", "listed", (char *)NULL); break;
        case 3: execle("./other.wasm", "other.wasm", "with", "variables", (char *)NULL, variables); break;
        case 4: setenv("PATH", "nowhere:.", 1), execlp("other.wasm", "other.wasm", "found", (char *)NULL); break;
        case 5: setenv("PATH", "nowhere:.", 1), execvp("other.wasm", arguments); break;
        }
        printf("exec failed: %s\n", strerror(errno));
        exit(100);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void attempt(const char *path)
{
    char *arguments[] = {"x", NULL};
    execv(path, arguments);
    printf("%s: %s\n", path, errno == ENOENT ? "ENOENT" : errno == EACCES ? "EACCES" : errno == ENOEXEC ? "ENOEXEC" :
                             errno == ENOTDIR ? "ENOTDIR" : strerror(errno));
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    setenv("KEPT", "yes", 1);
    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    int open_fd = open("data.txt", O_RDONLY), closed_fd = open("data.txt", O_RDONLY | O_CLOEXEC);
    char skipped[4];
    read(open_fd, skipped, 4);
    printf("descriptors %d %d\n", open_fd, closed_fd);
    for (int how = 0; how < 6; how++)
        printf("%d: exit status %d\n", how, run(how));
    attempt("missing");
    attempt("data.txt/x");
    int fd = open("garbage", O_WRONLY | O_CREAT | O_TRUNC, 0755);
    write(fd, "no program\n", 11);
    close(fd);
    attempt("garbage");
    printf("still here, variable %s\n", getenv("KEPT"));
    fflush(stdout);
    execl("./other.wasm", "other.wasm", "last", (char *)NULL);
    return 1;
}
