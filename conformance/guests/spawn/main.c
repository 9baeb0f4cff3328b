/* posix_spawn: programs with their descriptors arranged, found by name, and what cannot be started. */
#include "../names.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
    if (argc > 1) {
        char text[32];
        printf("%s %s\n", argv[1], getenv("SPAWNED") ? getenv("SPAWNED") : "-");
        while (fgets(text, sizeof text, stdin))
            printf("read %s", text);
        return argc;
    }
    pid_t pid;
    int status;
    char *words[] = {"main.wasm", "child", NULL}, *variables[] = {"SPAWNED=yes", NULL};
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int fd = open("input", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write(fd, "one\ntwo\n", 8);
    close(fd);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "input", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "output", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addclose(&actions, 2);
    printf("spawn %s\n", name_of(posix_spawn(&pid, "./main.wasm", &actions, NULL, words, variables)));
    waitpid(pid, &status, 0);
    printf("status %d\n", WEXITSTATUS(status));
    FILE *file = fopen("output", "r");
    char line[64];
    while (fgets(line, sizeof line, file))
        printf("  %s", line);
    fclose(file);
    posix_spawn_file_actions_destroy(&actions);

    int fds[2];
    pipe2(fds, O_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
    setenv("PATH", ".", 1);
    printf("by name %s\n", name_of(posix_spawnp(&pid, "main.wasm", &actions, NULL, words, variables)));
    close(fds[1]);
    long got = read_all(fds[0], line, sizeof line);
    printf("  %.*s", (int)got, line);
    waitpid(pid, &status, 0);
    printf("missing %s\n", name_of(posix_spawn(&pid, "./missing", NULL, NULL, words, variables)));
    posix_spawn_file_actions_addopen(&actions, 5, "no/such", O_RDONLY, 0);
    printf("no file %s\n", name_of(posix_spawn(&pid, "./main.wasm", &actions, NULL, words, variables)));
    printf("no children left %s\n", waitpid(-1, &status, 0) < 0 ? name_of(errno) : "?");
    return 0;
}
