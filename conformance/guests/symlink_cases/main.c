/* Symbolic links: chains, loops, dangling ones, through directories, and not followed where that is asked. */
#include "../names.h"

#include <fcntl.h>
#include <sys/stat.h>

static void look(const char *path)
{
    struct stat a, b;
    int through = stat(path, &a), at = lstat(path, &b);
    printf("%s: %s", path, through ? name_of(errno) : S_ISDIR(a.st_mode) ? "directory" : "file");
    if (at)
        printf(", %s\n", name_of(errno));
    else
        printf(", %s\n", S_ISLNK(b.st_mode) ? "a link" : "itself");
}

int main(void)
{
    char text[64];
    mkdir("dir", 0700);
    mkdir("dir/sub", 0700);
    int fd = open("dir/file", O_RDWR | O_CREAT, 0600);
    write(fd, "contents", 8);
    close(fd);
    symlink("dir/file", "one");
    symlink("one", "two");
    symlink("two", "three");
    symlink("dir", "d");
    symlink("../one", "dir/up");
    symlink("nowhere", "dangling");
    symlink("x", "y");
    symlink("y", "x");
    static const char *paths[] = {"one", "three", "d", "d/file", "d/up", "d/sub", "dangling", "x", "dangling/x", "one/x", "d/"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        look(paths[i]);
    fd = open("three", O_RDONLY);
    show("through three", read(fd, text, 8));
    show("not followed", open("three", O_RDONLY | O_NOFOLLOW));
    show("created through", open("dangling", O_RDWR | O_CREAT, 0600) >= 0);
    look("nowhere");
    look("dangling");
    show("exclusive", open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600));
    ssize_t length = readlink("d", text, sizeof text);
    printf("%.*s, cut %zd\n", (int)length, text, readlink("dir/up", text, 3));
    show("readlink of a file", readlink("dir/file", text, 10));
    show("readlink of nothing", readlink("zzz", text, 10));
    show("exists", symlink("a", "one"));
    show("empty", symlink("", "z"));
    show("chdir through", chdir("d/sub"));
    show("..", access("../file", F_OK));
    show("back", chdir("../.."));
    show("mkdir over a link", mkdir("dangling", 0700));
    show("rmdir of a link", rmdir("d"));
    show("unlink takes the link", unlink("d"));
    look("dir");
    show("openat", openat(AT_FDCWD, "two", O_RDONLY) >= 0);
    struct stat status;
    show("fstatat", fstatat(AT_FDCWD, "two", &status, AT_SYMLINK_NOFOLLOW));
    printf("a link %d, its size %d\n", S_ISLNK(status.st_mode), (int)status.st_size);
    show("link of a link", link("two", "hard"));
    lstat("hard", &status);
    printf("it is a link %d\n", S_ISLNK(status.st_mode));
    show("symlinkat", symlinkat("target", AT_FDCWD, "last"));
    length = readlinkat(AT_FDCWD, "last", text, sizeof text);
    printf("%.*s\n", (int)length, text);
    return 0;
}
