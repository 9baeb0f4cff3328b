/* Scripts: the first line names the program that runs them. */
#include "../names.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void script(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    write(fd, text, strlen(text));
    close(fd);
    chmod(path, 0755);
}

static void run(const char *path)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execl(path, path, "one", "two words", (char *)NULL);
        printf("%s: %s\n", path, name_of(errno));
        exit(99);
    }
    waitpid(child, &status, 0);
    printf("-> %d\n", WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        for (int i = 1; i < argc; i++)
            printf("[%s] ", argv[i]);
        printf("\n");
        return argc;
    }
    script("./plain", "#!./main.wasm\nbody\n");
    script("./option", "#! ./main.wasm -x  y\n");
    script("./nested", "#!./plain\n");
    script("./missing", "#!./nowhere\n");
    script("./garbage", "no script\n");
    run("./plain");
    run("./option");
    run("./nested");
    run("./missing");
    run("./garbage");
    return 0;
}
