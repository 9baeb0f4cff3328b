/* A little of everything a program does: files, a pipe, a child that runs another image, memory, a sleep. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void files(void)
{
    char text[32] = "";
    struct stat status;
    int fd = open("/tmp/note", O_RDWR | O_CREAT, 0640);
    printf("written %d, ", (int)write(fd, "hello, file", 11));
    lseek(fd, 7, SEEK_SET);
    printf("read %d \"%s\", ", (int)read(fd, text, sizeof text - 1), text);
    fstat(fd, &status);
    printf("size %d, mode %o\n", (int)status.st_size, (unsigned)status.st_mode & 0777);
    close(fd);
    printf("closed: %d %s\n", (int)read(fd, text, 1), strerror(errno));
    printf("absent: %d %s\n", open("/tmp/absent", O_RDONLY), strerror(errno));
    rename("/tmp/note", "/tmp/renamed");
    printf("access %d, ", access("/tmp/renamed", R_OK));
    printf("unlink %d\n", unlink("/tmp/renamed"));
}

static void memory(void)
{
    char *block = malloc(300000);
    memset(block, 'x', 300000);
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(pages + 8000, "mapped");
    printf("memory %c %s, ", block[299999], pages + 8000);
    printf("given back %d\n", munmap(pages, 8192));
    free(block);
}

static void processes(char *self)
{
    int ends[2], status;
    char text[64] = "";
    pipe(ends);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char *argv[] = {self, "again", NULL}, *env[] = {"GREETING=from the parent", NULL};
        dup2(ends[1], 1);
        execve(self, argv, env);
        _exit(99);
    }
    close(ends[1]);
    size_t got = 0;
    for (int n; (n = read(ends[0], text + got, sizeof text - 1 - got)) > 0; got += n)
        ;
    printf("waited %d, ", waitpid(child, &status, 0) == child);
    printf("status %d, said: %s", WEXITSTATUS(status), text);
    printf("no more: %d %s\n", (int)wait(NULL), strerror(errno));
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        printf("%s %s\n", argv[1], getenv("GREETING"));
        return 21;
    }
    files();
    memory();
    processes(argv[0]);
    return 7;
}
