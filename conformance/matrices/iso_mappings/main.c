/* ISO-001: a private mapping is each cage's own after fork, a shared one is both's; a private one of a file never
   changes the file; what exec leaves behind is gone. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    (void)argv;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (argc > 1) {
        static char fresh[4096];
        int dirty = 0;
        for (size_t i = 0; i < sizeof fresh; i++)
            dirty |= fresh[i];
        char *page = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (int i = 0; i < 65536; i++)
            dirty |= page[i];
        printf("after exec: dirty %d\n", dirty);
        return 0;
    }
    int fd = open("tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0600);
    ftruncate(fd, 8192);
    pwrite(fd, "file", 5, 0);
    char *own = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *both = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *copy = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    strcpy(own, "parent"), strcpy(both, "parent");
    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            int clean = strcmp(own, "parent") == 0 && strcmp(copy, "file") == 0;
            sprintf(own, "child %d", i);
            sprintf(copy, "mine %d", i);
            sprintf(both + 16 * (i + 1), "child %d", i);
            memset(own + 4096, 'x', 4096);
            _exit(clean && own[6] == '0' + i ? 0 : 1);
        }
    }
    int bad = 0, status;
    while (wait(&status) > 0)
        bad += status != 0;
    char back[8] = "";
    pread(fd, back, 5, 0);
    printf("children that saw another's: %d\n", bad);
    printf("own: %s %d, both: %s, %s, %s, %s, file: %s\n", own, own[4096], both, both + 16, both + 32, both + 48, back);
    munmap(both, 4096);
    memset(own, 'y', 8192);
    execl("main.wasm", "main.wasm", "again", NULL);
    return 9;
}
