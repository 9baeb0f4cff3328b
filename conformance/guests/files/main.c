/* Files: what is read is what was written; positions, appending, holes, links, renaming, times, and what fails how. */
#include "../names.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static void contents(const char *path)
{
    char text[200];
    int fd = open(path, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text);
    printf("%s:", path);
    for (ssize_t i = 0; i < got; i++)
        printf(text[i] >= 32 ? "%c" : "\\%o", text[i]);
    printf(" (%zd)\n", got);
    if (fd >= 0)
        close(fd);
}

int main(void)
{
    struct stat status;
    char text[64] = "";
    int fd = open("new.txt", O_RDWR | O_CREAT | O_EXCL, 0640);
    printf("lowest descriptor %d\n", fd);
    show("write", write(fd, "hello, file", 11));
    show("seek to 7", lseek(fd, 7, SEEK_SET));
    show("write", write(fd, "FILE", 4));
    show("pwrite at 0", pwrite(fd, "H", 1, 0));
    show("position", lseek(fd, 0, SEEK_CUR));
    show("pread", pread(fd, text, 5, 7));
    printf("%s\n", text);
    show("read at the end", read(fd, text, 5));
    show("from the end", lseek(fd, -4, SEEK_END));
    show("before the start", lseek(fd, -400, SEEK_END));
    show("bad whence", lseek(fd, 0, 9));
    show("past the end", lseek(fd, 20, SEEK_SET));
    show("write there", write(fd, "end", 3));
    fstat(fd, &status);
    printf("size %d, links %d, mode %o, regular %d\n", (int)status.st_size, (int)status.st_nlink,
           (unsigned)status.st_mode & 0777, S_ISREG(status.st_mode));
    contents("new.txt");
    show("ftruncate", ftruncate(fd, 5));
    contents("new.txt");
    show("longer", ftruncate(fd, 8));
    contents("new.txt");
    show("truncate", truncate("new.txt", 2));
    show("negative", ftruncate(fd, -1));
    close(fd);

    show("exists", open("new.txt", O_WRONLY | O_CREAT | O_EXCL, 0600));
    fd = open("new.txt", O_WRONLY | O_APPEND);
    lseek(fd, 0, SEEK_SET);
    show("append", write(fd, "+more", 5));
    show("read from write-only", read(fd, text, 1));
    close(fd);
    contents("new.txt");
    fd = open("new.txt", O_RDONLY);
    show("write to read-only", write(fd, "x", 1));
    show("truncate read-only", ftruncate(fd, 0));
    close(fd);
    show("closed", close(fd));
    show("read closed", read(fd, text, 1));
    show("missing", open("no/such/file", O_RDONLY));
    show("not a directory", open("new.txt/x", O_RDONLY));
    show("wants a directory", open("new.txt", O_RDONLY | O_DIRECTORY));
    show("directory for writing", open(".", O_WRONLY));

    show("link", link("new.txt", "second"));
    show("link again", link("new.txt", "second"));
    stat("second", &status);
    printf("links %d\n", (int)status.st_nlink);
    show("unlink", unlink("new.txt"));
    show("unlink again", unlink("new.txt"));
    contents("second");
    show("rename", rename("second", "third"));
    show("rename missing", rename("second", "third"));
    show("symlink", symlink("third", "soft"));
    ssize_t length = readlink("soft", text, sizeof text);
    printf("readlink %zd %.*s\n", length, (int)length, text);
    show("readlink of a file", readlink("third", text, sizeof text));
    contents("soft");
    lstat("soft", &status);
    printf("link %d, size %d\n", S_ISLNK(status.st_mode), (int)status.st_size);
    symlink("loop-b", "loop-a");
    symlink("loop-a", "loop-b");
    show("loop", open("loop-a", O_RDONLY));
    show("nofollow", open("soft", O_RDONLY | O_NOFOLLOW));
    show("chmod", chmod("third", 0400));
    stat("third", &status);
    printf("mode %o\n", (unsigned)status.st_mode & 07777);
    show("access", access("third", R_OK));
    show("access missing", access("second", F_OK));
    struct timespec times[2] = {{1000000000, 5}, {1234567890, 987654321}};
    show("utimensat", utimensat(AT_FDCWD, "third", times, 0));
    stat("third", &status);
    printf("times %ld %ld.%09ld\n", (long)status.st_atim.tv_sec, (long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);

    fd = open("gone", O_RDWR | O_CREAT, 0600);
    unlink("gone");
    show("unlinked but open", write(fd, "still", 5));
    show("read back", pread(fd, text, 5, 0));
    fstat(fd, &status);
    printf("links %d\n", (int)status.st_nlink);
    int copy = dup(fd), other = dup2(fd, 9);
    lseek(fd, 1, SEEK_SET);
    printf("dup %d dup2 %d share the position: %d %d\n", copy > fd, other, (int)lseek(copy, 0, SEEK_CUR),
           (int)lseek(other, 0, SEEK_CUR));
    struct iovec parts[3] = {{"gath", 4}, {"er", 2}, {"ed", 2}};
    show("writev", writev(fd, parts, 3));
    char a[4] = "", b[8] = "";
    struct iovec into[2] = {{a, 3}, {b, 7}};
    lseek(fd, 1, SEEK_SET);
    show("readv", readv(fd, into, 2));
    printf("%s %s\n", a, b);
    show("name too long", open("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", O_RDONLY));
    show("remove", remove("third"));
    return 0;
}
