/* Three attempts to have a child that runs /old.wasm. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int sum = 0;
    for (int i = 0; i < 3; i++) {
        int status;
        char word[2] = {'a' + i, 0}, *argv[] = {"old", word, NULL}, *env[] = {NULL};
        fflush(stdout);
        pid_t child = fork();
        if (child < 0) {
            printf("app: attempt %d: %s\n", i, strerror(errno));
            continue;
        }
        if (child == 0) {
            execve(i == 1 ? "/absent.wasm" : "/old.wasm", argv, env);
            _exit(100 + errno);
        }
        pid_t waited = waitpid(child, &status, 0);
        printf("app: attempt %d: child %s, status %d\n", i, waited == child ? "waited for" : "lost", WEXITSTATUS(status));
        sum += WEXITSTATUS(status);
    }
    return sum & 127;
}
