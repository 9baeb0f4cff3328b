/* Names that match a pattern, and walking trees of files. */
#include "../internal.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>
#include <fcntl.h>

static int add(glob_t *result, const char *path, int mark)
{
    size_t at = result->gl_offs + result->gl_pathc;
    char **more = realloc(result->gl_pathv, (at + 2) * sizeof *more);
    char *copy = malloc(strlen(path) + 2);
    if (!more || !copy) {
        free(copy);
        return GLOB_NOSPACE;
    }
    strcpy(copy, path);
    if (mark)
        strcat(copy, "/");
    more[at] = copy;
    more[at + 1] = 0;
    result->gl_pathv = more;
    result->gl_pathc++;
    return 0;
}

static int is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static void unescaped(char *to, const char *from, size_t length, int flags)
{
    for (size_t i = 0; i < length; i++) {
        if (from[i] == '\\' && !(flags & GLOB_NOESCAPE) && i + 1 < length)
            i++;
        *to++ = from[i];
    }
    *to = 0;
}

/* `path` (its first `used` bytes) is what is found of it already, `pattern` the rest. */
static int find(char *path, size_t used, const char *pattern, int flags, int (*failed)(const char *, int), glob_t *result)
{
    while (*pattern == '/') {
        path[used++] = *pattern++;
        path[used] = 0;
    }
    size_t length = strcspn(pattern, "/");
    struct stat status;
    if (!length) {
        if (lstat(path, &status))
            return 0;
        return add(result, path, flags & GLOB_MARK && path[used - 1] != '/' && is_directory(path));
    }
    char part[NAME_MAX + 1];
    if (length > NAME_MAX || used + length >= PATH_MAX)
        return 0;
    memcpy(part, pattern, length);
    part[length] = 0;
    if (!strpbrk(part, "*?[")) {
        unescaped(path + used, part, length, flags);
        if (lstat(path, &status))
            return 0;
        return find(path, strlen(path), pattern + length, flags, failed, result);
    }
    path[used] = 0;
    DIR *dir = opendir(used ? path : ".");
    if (!dir)
        return (failed && failed(path, errno)) || flags & GLOB_ERR ? GLOB_ABORTED : 0;
    int outcome = 0;
    for (struct dirent *entry; !outcome && (entry = readdir(dir));) {
        if (fnmatch(part, entry->d_name, (flags & GLOB_PERIOD ? 0 : FNM_PERIOD) | (flags & GLOB_NOESCAPE ? FNM_NOESCAPE : 0)))
            continue;
        if (used + strlen(entry->d_name) >= PATH_MAX)
            continue;
        strcpy(path + used, entry->d_name);
        if (pattern[length] && !is_directory(path))
            continue;
        outcome = find(path, strlen(path), pattern + length, flags, failed, result);
    }
    closedir(dir);
    return outcome;
}

static int compare(const void *left, const void *right)
{
    return strcoll(*(char *const *)left, *(char *const *)right);
}

int glob(const char *restrict pattern, int flags, int (*failed)(const char *, int), glob_t *restrict result)
{
    char path[PATH_MAX + 1] = "";
    if (!(flags & GLOB_DOOFFS))
        result->gl_offs = 0;
    if (!(flags & GLOB_APPEND)) {
        result->gl_pathc = 0;
        result->gl_pathv = calloc(result->gl_offs + 1, sizeof *result->gl_pathv);
        if (!result->gl_pathv)
            return GLOB_NOSPACE;
    }
    size_t before = result->gl_pathc;
    int outcome = find(path, 0, pattern, flags, failed, result);
    if (!outcome && result->gl_pathc == before)
        outcome = flags & GLOB_NOCHECK ? add(result, pattern, 0) : GLOB_NOMATCH;
    else if (!(flags & GLOB_NOSORT))
        qsort(result->gl_pathv + result->gl_offs + before, result->gl_pathc - before, sizeof(char *), compare);
    return outcome;
}

void globfree(glob_t *result)
{
    for (size_t i = 0; i < result->gl_pathc; i++)
        free(result->gl_pathv[result->gl_offs + i]);
    free(result->gl_pathv);
    result->gl_pathv = 0;
    result->gl_pathc = 0;
}

typedef int (*visitor)(const char *, const struct stat *, int, struct FTW *);

static int walk(char *path, size_t length, int level, visitor visit, int flags)
{
    struct stat status;
    int kind;
    char *slash = strrchr(path, '/');
    struct FTW place = {level && slash ? slash - path + 1 : slash && slash[1] ? slash - path + 1 : 0, level};
    if (flags & FTW_PHYS ? lstat(path, &status) : stat(path, &status)) {
        kind = FTW_NS;
        if (!(flags & FTW_PHYS) && lstat(path, &status) == 0)
            kind = FTW_SLN;
        else if (level == 0)
            return -1;
    } else {
        kind = S_ISDIR(status.st_mode) ? FTW_D : S_ISLNK(status.st_mode) ? FTW_SL : FTW_F;
    }
    DIR *dir = kind == FTW_D ? opendir(path) : 0;
    if (kind == FTW_D && !dir)
        kind = FTW_DNR;
    int outcome = kind == FTW_D && flags & FTW_DEPTH ? 0 : visit(path, &status, kind, &place);
    if (!dir)
        return outcome;
    /* Names first, so that no descriptor is open while the tree below is walked. */
    char **names = 0;
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        char **more = realloc(names, (count + 1) * sizeof *more);
        if (!more)
            break;
        names = more;
        names[count++] = strdup(entry->d_name);
    }
    closedir(dir);
    for (size_t i = 0; i < count; i++) {
        if (!outcome && names[i] && length + strlen(names[i]) + 2 <= PATH_MAX) {
            size_t end = length;
            if (path[end - 1] != '/')
                path[end++] = '/';
            strcpy(path + end, names[i]);
            outcome = walk(path, strlen(path), level + 1, visit, flags);
            path[length] = 0;
        }
        free(names[i]);
    }
    free(names);
    if (!outcome && flags & FTW_DEPTH)
        outcome = visit(path, &status, FTW_DP, &place);
    return outcome;
}

int nftw(const char *path, visitor visit, int descriptors, int flags)
{
    char own[PATH_MAX + 1];
    (void)descriptors;
    if (!*path || strlen(path) >= PATH_MAX) {
        errno = *path ? ENAMETOOLONG : ENOENT;
        return -1;
    }
    strcpy(own, path);
    size_t length = strlen(own);
    while (length > 1 && own[length - 1] == '/')
        own[--length] = 0;
    return walk(own, length, 0, visit, flags);
}

static int (*plain_visitor)(const char *, const struct stat *, int);

static int pass(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)place;
    return plain_visitor(path, status, kind == FTW_SLN ? FTW_NS : kind);
}

int ftw(const char *path, int (*visit)(const char *, const struct stat *, int), int descriptors)
{
    plain_visitor = visit;
    return nftw(path, pass, descriptors, 0);
}

int utime(const char *path, const struct utimbuf *times)
{
    struct timespec exact[2];
    if (times) {
        exact[0] = (struct timespec){times->actime, 0};
        exact[1] = (struct timespec){times->modtime, 0};
    }
    return utimensat(AT_FDCWD, path, times ? exact : 0, 0);
}
