/* What a program means by a path when a folder is its root. */
#ifndef PATHS_H
#define PATHS_H

#include "../grate.h"

#define SIZE 512

/* The folder, without a slash at its end. */
static const char *root;

/* `path` goes on where `at` stands: . and .. are worked off, and nothing leads above `start`. */
static int walk(char *start, char *at, char *end, const char *path)
{
    while (*path) {
        size_t length = strcspn(path, "/");
        if (length == 2 && memcmp(path, "..", 2) == 0)
            while (at > start && *--at != '/')
                ;
        else if (length && !(length == 1 && *path == '.')) {
            if (at + length + 2 > end)
                return -ENAMETOOLONG;
            *at++ = '/';
            memcpy(at, path, length);
            at += length;
        }
        path += length + (path[length] == '/');
    }
    strcpy(at, at == start ? "/" : "");
    return 0;
}

/* Where `cage` stands, as it calls it itself: the root until it has moved. */
static void standing(uint64_t grate, uint64_t cage, char where[SIZE])
{
    char real[SIZE] = "";
    size_t length = strlen(root);
    make_threei_call(LIND_CALL_GETCWD, 0, grate, cage, LENT(real), SIZE, cage, LIND_NOTUSED, cage, LIND_NOTUSED, cage,
                     LIND_NOTUSED, cage, LIND_NOTUSED, cage, 0);
    int within = strncmp(real, root, length) == 0 && (real[length] == '/' || !real[length]);
    strcpy(where, within && real[length] ? real + length : "/");
}

/* The path at `address` of `cage`, from the real root on. 0 or an error. */
static int moved(uint64_t grate, char to[SIZE], uint64_t address, uint64_t cage)
{
    char path[SIZE], where[SIZE];
    if (fetch_string(grate, path, SIZE, address, cage) < 0)
        return -EFAULT;
    if (!*path)
        return -ENOENT;
    standing(grate, cage, where);
    char *start = to + sprintf(to, "%s", root);
    if (*path != '/' && walk(start, start, to + SIZE, where) == 0 && start[1])
        return walk(start, start + strlen(start), to + SIZE, path);
    return walk(start, start, to + SIZE, path);
}

#endif
