/* Temporary files and directories, and tidying up. */
#include "../names.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

int main(void)
{
    char a[] = "fileXXXXXX", b[] = "fileXXXXXX", d[] = "dirXXXXXX", bad[] = "fileXXX", s[] = "nameXXXXXX.txt";
    struct stat status;
    int fa = mkstemp(a), fb = mkstemp(b);
    printf("made %d %d, differ %d, filled in %d\n", fa >= 0, fb >= 0, strcmp(a, b) != 0, strcmp(a + 4, "XXXXXX") != 0);
    fstat(fa, &status);
    printf("mode %o, empty %d\n", (unsigned)status.st_mode & 0777, status.st_size == 0);
    write(fa, "kept", 4);
    char text[8] = "";
    show("reads back", pread(fa, text, 4, 0));
    show("bad pattern", mkstemp(bad));
    int fs = mkstemps(s, 4);
    printf("suffix %d %s\n", fs >= 0, s + 10);
    show("directory", mkdtemp(d) ? 0 : -1);
    stat(d, &status);
    printf("a directory %d, mode %o\n", S_ISDIR(status.st_mode), (unsigned)status.st_mode & 0777);
    int flags = mkostemp(strcpy(b, "fileXXXXXX"), O_CLOEXEC);
    printf("cloexec %d\n", fcntl(flags, F_GETFD));
    FILE *file = tmpfile();
    fprintf(file, "%d %s", 12, "words");
    rewind(file);
    int n;
    char word[16];
    printf("%d", fscanf(file, "%d %15s", &n, word));
    printf(" %d %s\n", n, word);
    fclose(file);
    unlink(a);
    show("open but gone", access(a, F_OK));
    show("still writable", write(fa, " on", 3));
    show("whole", pread(fa, text, 7, 0));
    printf("%.7s\n", text);
    show("removed", rmdir(d));
    int count = 0;
    DIR *dir = opendir(".");
    for (struct dirent *entry; (entry = readdir(dir));)
        count += !strncmp(entry->d_name, "file", 4);
    printf("left %d\n", count);
    return 0;
}
