/* ISO-004: descriptors of folders, folders that move, hard links and mount points: no way out of the root. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ino_t root;

static void attempt(int at, const char *path)
{
    struct stat st;
    int fd = openat(at, path, O_RDONLY);
    if (fd < 0) {
        printf("  %s: %s\n", path, strerror(errno));
        return;
    }
    fstat(fd, &st);
    printf("  %s: %s\n", path, st.st_ino == root ? "the root" : S_ISDIR(st.st_mode) ? "a folder" : "a file");
    close(fd);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    struct stat st;
    stat("/", &st);
    root = st.st_ino;
    mkdir("/tmp/a", 0700), mkdir("/tmp/a/b", 0700), mkdir("/tmp/c", 0700);
    close(open("/tmp/a/b/file", O_CREAT | O_WRONLY, 0600));
    int up = open("/", O_RDONLY | O_DIRECTORY), deep = open("/tmp/a/b", O_RDONLY | O_DIRECTORY);
    printf("from the root:\n");
    attempt(up, "..");
    attempt(up, "../../..");
    attempt(up, "../etc/shadow-of-the-host");
    attempt(up, "dev/tty");
    printf("from a folder:\n");
    attempt(deep, "file");
    attempt(AT_FDCWD, "/tmp/a/b/file/..");
    attempt(deep, "../../../../../..");
    symlinkat("/../../..", deep, "away");
    attempt(deep, "away");
    symlinkat("/proc/self/root/..", deep, "proc");
    attempt(deep, "proc");
    printf("moved:\n");
    rename("/tmp/a/b", "/tmp/c/b");
    attempt(deep, "..");
    attempt(deep, "../../../..");
    fchdir(deep);
    rename("/tmp/c", "/tmp/a/c");
    attempt(AT_FDCWD, "../../../../..");
    char here[64];
    printf("here: %s\n", getcwd(here, sizeof here));
    printf("removed:\n");
    unlink("/tmp/a/c/b/file"), unlink("/tmp/a/c/b/away"), unlink("/tmp/a/c/b/proc");
    printf("  %d\n", rmdir("/tmp/a/c/b"));
    attempt(AT_FDCWD, "./..");
    attempt(AT_FDCWD, "../../../../..");
    printf("links: %s", link("/", "/tmp/root") < 0 ? strerror(errno) : "made");
    printf(", %s\n", rename("/", "/tmp/root") < 0 ? "refused" : "moved");
    return 0;
}
