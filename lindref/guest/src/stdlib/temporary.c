/* Temporary files, and the real path of a name. */
#include "../internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAKE_FILE, MAKE_DIRECTORY, MAKE_NOTHING };

static int fail(int number)
{
    errno = number;
    return -1;
}

static int make(char *pattern, int suffix, int flags, int what)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t length = strlen(pattern);
    if (suffix < 0 || length < (size_t)suffix + 6 || memcmp(pattern + length - suffix - 6, "XXXXXX", 6))
        return fail(EINVAL);
    char *at = pattern + length - suffix - 6;
    for (int attempt = 0; attempt < 100; attempt++) {
        uint64_t random = 0;
        struct stat status;
        int result;
        getrandom(&random, sizeof random, 0);
        for (int i = 0; i < 6; i++, random /= sizeof letters - 1)
            at[i] = letters[random % (sizeof letters - 1)];
        if (what == MAKE_FILE)
            result = open(pattern, (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL, 0600);
        else if (what == MAKE_DIRECTORY)
            result = mkdir(pattern, 0700);
        else
            result = lstat(pattern, &status) == 0 ? fail(EEXIST) : errno == ENOENT ? 0 : -1;
        if (result >= 0 || errno != EEXIST)
            return result;
    }
    return fail(EEXIST);
}

int mkostemps(char *pattern, int suffix, int flags)
{
    return make(pattern, suffix, flags, MAKE_FILE);
}

int mkostemp(char *pattern, int flags)
{
    return make(pattern, 0, flags, MAKE_FILE);
}

int mkstemps(char *pattern, int suffix)
{
    return make(pattern, suffix, 0, MAKE_FILE);
}

int mkstemp(char *pattern)
{
    return make(pattern, 0, 0, MAKE_FILE);
}

char *mkdtemp(char *pattern)
{
    return make(pattern, 0, 0, MAKE_DIRECTORY) ? 0 : pattern;
}

char *mktemp(char *pattern)
{
    if (make(pattern, 0, 0, MAKE_NOTHING))
        *pattern = 0;
    return pattern;
}

char *tmpnam(char *name)
{
    static char own[L_tmpnam];
    if (!name)
        name = own;
    strcpy(name, P_tmpdir "/fileXXXXXX");
    return make(name, 0, 0, MAKE_NOTHING) ? 0 : name;
}

char *tempnam(const char *directory, const char *prefix)
{
    const char *named = getenv("TMPDIR");
    if (!named || access(named, W_OK))
        named = directory && !access(directory, W_OK) ? directory : P_tmpdir;
    char *name = malloc(strlen(named) + 13);
    if (!name)
        return 0;
    sprintf(name, "%s/%.5sXXXXXX", named, prefix ? prefix : "file");
    if (make(name, 0, 0, MAKE_NOTHING)) {
        free(name);
        return 0;
    }
    return name;
}

/* Links are followed name by name; `left` is what is still to be walked. */
char *realpath(const char *restrict path, char *restrict resolved)
{
    char done[PATH_MAX], left[PATH_MAX], target[PATH_MAX];
    int links = 0;
    if (!path || !*path) {
        errno = path ? ENOENT : EINVAL;
        return 0;
    }
    if (strlen(path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return 0;
    }
    strcpy(left, path);
    if (*path == '/')
        *done = 0;
    else if (!getcwd(done, sizeof done))
        return 0;
    if (!strcmp(done, "/"))
        *done = 0;
    while (*left) {
        char name[NAME_MAX + 1];
        char *rest = left + strspn(left, "/");
        size_t length = strcspn(rest, "/");
        struct stat status;
        if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
            return 0;
        }
        memcpy(name, rest, length);
        name[length] = 0;
        int more = rest[length] == '/';
        memmove(left, rest + length, strlen(rest + length) + 1);
        if (!length || !strcmp(name, "."))
            continue;
        if (!strcmp(name, "..")) {
            char *slash = strrchr(done, '/');
            if (slash)
                *slash = 0;
            continue;
        }
        size_t before = strlen(done);
        if (before + 1 + length >= PATH_MAX) {
            errno = ENAMETOOLONG;
            return 0;
        }
        done[before] = '/';
        strcpy(done + before + 1, name);
        if (lstat(done, &status))
            return 0;
        if (S_ISLNK(status.st_mode)) {
            ssize_t size = ++links > SYMLOOP_MAX ? fail(ELOOP) : readlink(done, target, sizeof target - 1);
            if (size < 0)
                return 0;
            if (size + strlen(left) >= PATH_MAX) {
                errno = ENAMETOOLONG;
                return 0;
            }
            strcpy(target + size, left);
            strcpy(left, target);
            done[*left == '/' ? 0 : before] = 0;
        } else if (more && !S_ISDIR(status.st_mode)) {
            errno = ENOTDIR;
            return 0;
        }
    }
    if (!*done)
        strcpy(done, "/");
    return resolved ? strcpy(resolved, done) : strdup(done);
}
