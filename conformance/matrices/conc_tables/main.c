/* CONC-002: cage table, descriptor tables and names at once: every file is made once, and none is lost. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAGES = 4, FILES = 6 };

int main(void)
{
    int made = 0, names = 0;
    mkdir("tmp/t", 0700);
    pid_t children[CAGES];
    for (int c = 0; c < CAGES; c++) {
        children[c] = fork();
        if (children[c] == 0) {
            int mine = 0;
            for (int i = 0; i < FILES; i++) {
                char name[32], kept[32];
                snprintf(name, sizeof name, "tmp/t/f%d", i);
                snprintf(kept, sizeof kept, "tmp/t/c%d.%d", c, i);
                int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
                mine += fd >= 0;
                int copy = dup(fd >= 0 ? fd : 0);
                link(name, kept);
                if (fd >= 0)
                    close(fd);
                close(copy);
            }
            _exit(mine);
        }
    }
    for (int c = 0; c < CAGES; c++) {
        int status;
        waitpid(children[c], &status, 0);
        made += WEXITSTATUS(status);
    }
    DIR *dir = opendir("tmp/t");
    while (readdir(dir))
        names++;
    struct stat st;
    stat("tmp/t/f0", &st);
    printf("%d made, %d names, %d links of one\n", made, names, (int)st.st_nlink);
    return 0;
}
