/* Paths and patterns: basename, dirname, fnmatch, glob, walking a tree. */
#include "../names.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <glob.h>
#include <libgen.h>
#include <sys/stat.h>

static void parts(const char *path)
{
    char a[64], b[64];
    strcpy(a, path);
    strcpy(b, path);
    printf("%s: %s + %s\n", path, dirname(a), basename(b));
}

static void match(const char *pattern, const char *name, int flags)
{
    printf("%d", fnmatch(pattern, name, flags) == 0);
}

static void expand(const char *pattern, int flags)
{
    glob_t found;
    int result = glob(pattern, flags, NULL, &found);
    printf("%s:", pattern);
    if (result == GLOB_NOMATCH) {
        printf(" none\n");
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        printf(" %s", found.gl_pathv[i]);
    printf("\n");
    globfree(&found);
}

static int files, directories, links, deepest;

static int visit(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    files += kind == FTW_F;
    directories += kind == FTW_D || kind == FTW_DP;
    links += kind == FTW_SL;
    if (place->level > deepest)
        deepest = place->level;
    return !strcmp(path + place->base, "stop") ? 7 : 0;
}

int main(void)
{
    static const char *paths[] = {"/usr/lib", "/usr/", "usr", "/", ".", "..", "a//b//", "//", "", "a/b/c"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        parts(paths[i]);
    match("*.c", "x.c", 0), match("*.c", "x.h", 0), match("?", "", 0), match("[a-c]x", "bx", 0), match("[!a-c]x", "bx", 0);
    match("*", ".hidden", FNM_PERIOD), match("*", "a/b", FNM_PATHNAME), match("*/b", "a/b", FNM_PATHNAME), match("a\\*", "a*", 0);
    match("a\\*", "ab", 0), match("[[:digit:]]*", "7up", 0), match("[]x]", "]", 0), match("[a", "[a", 0), match("*a*b*", "xxaxxb", 0);
    match("A", "a", FNM_CASEFOLD), match("**", "", 0), match("a*b*c", "abbbcc", 0), match("[a-", "-", 0);
    printf("\n");
    mkdir("t", 0700), mkdir("t/u", 0700), mkdir("t/v", 0700);
    static const char *made[] = {"t/a.c", "t/b.c", "t/.c", "t/u/x.c", "t/u/y.h", "t/v/x.c"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        close(open(made[i], O_WRONLY | O_CREAT, 0600));
    symlink("a.c", "t/link");
    expand("t/*.c", 0);
    expand("t/*/x.c", 0);
    expand("t/*", GLOB_MARK);
    expand("t/?.c", 0);
    expand("t/[ab].c", 0);
    expand("t/*.z", 0);
    expand("t/*.z", GLOB_NOCHECK);
    expand("t/u", 0);
    expand("t/.*c", 0);
    show("nftw", nftw("t", visit, 8, FTW_PHYS));
    printf("%d files, %d directories, %d links, depth %d\n", files, directories, links, deepest);
    close(open("t/v/stop", O_WRONLY | O_CREAT, 0600));
    show("stopped", nftw("t", visit, 8, FTW_PHYS | FTW_DEPTH));
    show("missing", nftw("zzz", visit, 8, 0));
    return 0;
}
