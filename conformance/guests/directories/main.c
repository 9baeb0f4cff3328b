/* Directories: making, listing, walking about, removing; paths relative to descriptors. */
#include "../names.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void list(const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, visible, alphasort);
    printf("%s:", path);
    for (int i = 0; i < count; i++) {
        printf(" %s%s", names[i]->d_name,
               names[i]->d_type == DT_DIR ? "/" : names[i]->d_type == DT_LNK ? "@" : "");
        free(names[i]);
    }
    printf(" (%d)\n", count);
    if (count >= 0)
        free(names);
}

static void touch(const char *path)
{
    close(open(path, O_WRONLY | O_CREAT, 0644));
}

int main(void)
{
    char path[256];
    struct stat status;
    show("mkdir", mkdir("top", 0755));
    show("again", mkdir("top", 0755));
    show("under nothing", mkdir("no/where", 0755));
    mkdir("top/b", 0700);
    mkdir("top/a", 0755);
    touch("top/file");
    symlink("a", "top/link");
    list("top");
    for (int i = 0; i < 60; i++) {
        snprintf(path, sizeof path, "top/b/entry-%02d-with-a-long-name", i);
        touch(path);
    }
    DIR *dir = opendir("top/b");
    struct dirent *entry;
    int count = 0, dots = 0, sum = 0;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            dots++;
        else
            sum += atoi(entry->d_name + 6);
        count++;
    }
    printf("%d entries, %d of them dots, sum %d\n", count, dots, sum);
    rewinddir(dir);
    readdir(dir);
    long place = telldir(dir);
    entry = readdir(dir);
    strcpy(path, entry->d_name);
    readdir(dir);
    seekdir(dir, place);
    printf("seekdir comes back: %d\n", !strcmp(readdir(dir)->d_name, path));
    show("closedir", closedir(dir));
    printf("opendir of a file: %s\n", opendir("top/file") ? "?" : name_of(errno));
    printf("opendir of nothing: %s\n", opendir("nothing") ? "?" : name_of(errno));

    show("rmdir full", rmdir("top/b"));
    show("rmdir of a file", rmdir("top/file"));
    show("unlink of a directory", unlink("top/a") ? -(errno == EISDIR || errno == EPERM) : 0);
    show("rename over a full one", rename("top/a", "top/b"));
    show("into itself", rename("top", "top/a/x"));
    show("rename directory", rename("top/a", "top/c"));
    list("top");

    char before[200], after[200];
    getcwd(before, sizeof before);
    show("chdir", chdir("top/b"));
    getcwd(after, sizeof after);
    printf("cwd ends in %s\n", after + strlen(after) - 6);
    show("relative", access("../file", F_OK));
    show("chdir to a file", chdir("../file"));
    show("chdir to nothing", chdir("nothing"));
    for (int i = 0; i < 60; i++) {
        snprintf(path, sizeof path, "entry-%02d-with-a-long-name", i);
        unlink(path);
    }
    show("chdir back", chdir("../.."));
    getcwd(after, sizeof after);
    printf("same place: %d\n", !strcmp(before, after));
    printf("too small: %s\n", getcwd(after, 1) ? "?" : name_of(errno));

    int fd = open("top", O_RDONLY | O_DIRECTORY);
    int file = openat(fd, "c/inside", O_RDWR | O_CREAT, 0600);
    show("openat", file > fd ? 0 : -1);
    show("faccessat", faccessat(fd, "c/inside", F_OK, 0));
    show("fstatat", fstatat(fd, "link", &status, AT_SYMLINK_NOFOLLOW));
    printf("a link: %d\n", S_ISLNK(status.st_mode));
    show("renameat", renameat(fd, "c/inside", fd, "moved"));
    show("unlinkat", unlinkat(fd, "moved", 0));
    show("unlinkat directory", unlinkat(fd, "c", AT_REMOVEDIR));
    show("openat bad directory", openat(file, "x", O_RDONLY));
    show("openat closed", openat(77, "x", O_RDONLY));
    show("fchdir", fchdir(fd));
    show("here", access("file", F_OK));
    show("fchdir to a file", fchdir(file));
    chdir("..");
    printf("realpath %s\n", realpath("top/b/../link", NULL) ? "?" : name_of(errno));
    char *real = realpath("./top//b/../file", NULL);
    printf("realpath %s\n", real ? real + strlen(before) - (before[1] == 0) : name_of(errno));
    free(real);
    unlink("top/link");
    unlink("top/file");
    show("rmdir", rmdir("top/b"));
    list("top");
    show("rmdir", rmdir("top"));
    show("gone", stat("top", &status));
    return 0;
}
