/* What grates that move paths share: the program names one place, and what is beneath is asked for another. */
#ifndef PATHS_H
#define PATHS_H

#include "grate.h"

#include <fcntl.h>

#define SIZE 512
#define MOVED 0
#define AS_IT_CAME 1

/* Defined by the grate: the path at `address` of `cage`, which starts from the descriptor `folder` where it is relative,
 * as it is to be beneath. MOVED, AS_IT_CAME, or an error. */
static int moved(uint64_t grate, char to[SIZE], int folder, uint64_t address, uint64_t cage);

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

/* Where `cage` stands, as what is beneath calls it; nothing where that cannot be said. */
static inline void standing(uint64_t grate, uint64_t cage, char where[SIZE])
{
    *where = 0;
    make_threei_call(LIND_CALL_GETCWD, 0, grate, cage, LENT(where), SIZE, cage, LIND_NOTUSED, cage, LIND_NOTUSED, cage,
                     LIND_NOTUSED, cage, LIND_NOTUSED, cage, 0);
}

/* Argument n, a path, becomes one of this grate, if it is to be moved. */
#define MOVE(n, folder)                                                                                              \
    char path##n[SIZE];                                                                                              \
    int how##n = moved(grate, path##n, folder, arg##n, arg##n##cage);                                                \
    if (how##n < 0)                                                                                                  \
        return how##n;                                                                                               \
    if (how##n == MOVED)                                                                                             \
        arg##n = (uintptr_t)path##n, arg##n##cage = grate | LIND_GRATE_MEMORY_FLAG;

/* Handlers of calls whose path is the first argument, or the second behind a folder, or that have two. */
#define WITH_PATHS(name, moves)                                                                                      \
    static int on_##name(LIND_HANDLER_PARAMS)                                                                        \
    {                                                                                                                \
        uint64_t caller = arg1cage;                                                                                  \
        moves;                                                                                                       \
        return make_threei_call(LIND_CALL_##name, 0, grate, caller, LIND_HANDLER_ARGS, 0);                           \
    }
#define ONE(name) WITH_PATHS(name, MOVE(1, AT_FDCWD))
#define AT(name) WITH_PATHS(name, MOVE(2, (int)arg1))
#define TWO(name) WITH_PATHS(name, MOVE(1, AT_FDCWD) MOVE(2, AT_FDCWD))
#define EACH_CALL(ONE, AT, TWO)                                                                                      \
    ONE(OPEN) ONE(STAT) ONE(LSTAT) ONE(ACCESS) ONE(MKDIR) ONE(RMDIR) ONE(UNLINK) ONE(CHMOD) ONE(CHOWN) ONE(LCHOWN)    \
    ONE(TRUNCATE) ONE(READLINK) ONE(STATFS) ONE(MKNOD) ONE(CHDIR) AT(OPENAT) AT(NEWFSTATAT) AT(UNLINKAT)              \
    AT(FACCESSAT) AT(READLINKAT) AT(FCHMODAT) AT(FCHOWNAT) AT(UTIMENSAT) TWO(RENAME) TWO(LINK)

#define ROW(name) {LIND_CALL_##name, on_##name},

#endif
