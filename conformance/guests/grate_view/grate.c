/* Each program and child has its own files in one folder: beneath, a path there leads into a folder of the cage's own,
 * FOLDER/.cage-N, which is made when it is first needed.
 *
 *     lindref run grate.wasm dir=/work app.wasm
 *
 * Paths are taken apart as text; one that starts from a descriptor leads where it leads beneath. */
#include "../paths.h"

#include <sys/stat.h>

LIND_GRATE_ENTRY

/* The folder, without a slash at its end. */
static const char *folder;

/* The path as a whole, worked off from the root on. */
static int whole(uint64_t grate, char to[SIZE], const char *path, uint64_t cage)
{
    char where[SIZE];
    if (*path == '/')
        return walk(to, to, to + SIZE, path);
    standing(grate, cage, where);
    int fault = walk(to, to, to + SIZE, where);
    return fault ? fault : walk(to, to + (to[1] ? strlen(to) : 0), to + SIZE, path);
}

static int moved(uint64_t grate, char to[SIZE], int from, uint64_t address, uint64_t cage)
{
    char path[SIZE], all[SIZE], own[SIZE];
    size_t length = strlen(folder);
    if (!address || fetch_string(grate, path, SIZE, address, cage) < 0 || !*path)
        return AS_IT_CAME; /* what is beneath knows what is wrong with it */
    if (*path != '/' && from != AT_FDCWD)
        return AS_IT_CAME;
    int fault = whole(grate, all, path, cage);
    if (fault)
        return fault;
    if (strncmp(all, folder, length) != 0 || (all[length] && all[length] != '/'))
        return AS_IT_CAME;
    snprintf(own, SIZE, "%s/.cage-%d", folder, (int)cage);
    make_threei_call(LIND_CALL_MKDIR, 0, grate, cage, LENT(own), 0755, cage, LIND_NOTUSED, cage, LIND_NOTUSED, cage,
                     LIND_NOTUSED, cage, LIND_NOTUSED, cage, 0);
    return snprintf(to, SIZE, "%s%s", own, all + length) < SIZE ? MOVED : -ENAMETOOLONG;
}

EACH_CALL(ONE, AT, TWO)
ONE(EXECVE)

static const struct row rows[] = {EACH_CALL(ROW, ROW, ROW) ROW(EXECVE)};

static void interpose(uint64_t child, uint64_t grate)
{
    interpose_rows(child, grate, rows, sizeof rows);
}

int main(int argc, char **argv)
{
    (void)argc;
    folder = setting(argv, "dir", "/tmp");
    return launch_behind(argv, interpose);
}
