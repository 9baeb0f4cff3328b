/* Renaming: over what is there, of what is open, directories, and without replacing. */
#include "../names.h"

#include <fcntl.h>
#include <sys/stat.h>

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write(fd, text, strlen(text));
    close(fd);
}

static void get(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        printf("  %s: %s\n", path, name_of(errno));
        return;
    }
    read(fd, text, sizeof text - 1);
    close(fd);
    printf("  %s: %s\n", path, text);
}

int main(void)
{
    put("a", "first");
    put("b", "second");
    int fd = open("b", O_RDONLY);
    show("over a file", rename("a", "b"));
    get("a");
    get("b");
    char text[8] = "";
    read(fd, text, 7);
    printf("  the open one: %s\n", text);
    show("to itself", rename("b", "b"));
    link("b", "same");
    show("to another name of it", rename("b", "same"));
    get("b");
    get("same");
    mkdir("d", 0700);
    mkdir("e", 0700);
    show("file over a directory", rename("b", "d"));
    show("directory over a file", rename("d", "b"));
    show("over an empty directory", rename("d", "e"));
    put("e/inside", "x");
    mkdir("f", 0700);
    show("over a full one", rename("f", "e"));
    show("into itself", rename("e", "e/g"));
    show("with what is inside", rename("e", "moved"));
    get("moved/inside");
    show("missing directory", rename("b", "no/where"));
    show("missing file", rename("nothing", "something"));
    show("trailing slash", rename("b", "c/"));
    show("dot", rename(".", "x"));
    symlink("b", "l");
    show("a link, not its target", rename("l", "m"));
    struct stat status;
    lstat("m", &status);
    printf("  a link %d\n", S_ISLNK(status.st_mode));
    put("n", "other");
    show("no replacing", renameat2(AT_FDCWD, "b", AT_FDCWD, "n", 1));
    show("nothing there", renameat2(AT_FDCWD, "b", AT_FDCWD, "new", 1));
    show("exchange", renameat2(AT_FDCWD, "new", AT_FDCWD, "n", 2));
    get("new");
    get("n");
    show("exchange with nothing", renameat2(AT_FDCWD, "new", AT_FDCWD, "zzz", 2));
    show("both", renameat2(AT_FDCWD, "new", AT_FDCWD, "n", 3));
    show("into another directory", rename("n", "f/n"));
    get("f/n");
    show("..", rename("f/n", "f/../up"));
    get("up");
    return 0;
}
