/* Files in one folder live in this grate's memory; nothing beneath is told of them.
 *
 *     lindref run grate.wasm at=/mem app.wasm
 *
 * Their descriptors are numbers from 512 on, which no other descriptor has; each cage has its own, and a child begins
 * with a copy of its parent's. There are no folders within; dup, mmap and poll do not know these descriptors. */
#include "files.h"

#include <pthread.h>

LIND_GRATE_ENTRY

#define CAGES 256
#define FIRST 512
#define COUNT 32

/* By cage; a child whose fork is not back yet is not `known`. */
static struct cage {
    int known;
    struct descriptor open[COUNT];
} cages[CAGES];

/* Handlers run side by side: whoever looks at any of this holds the lock. `forks` are under way. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t forked = PTHREAD_COND_INITIALIZER;
static int forks;
static const char *folder;

/* The cage's descriptors. The first call of a child can come before the fork of its parent is back: it waits. */
static struct cage *of(uint64_t cage)
{
    struct cage *mine = &cages[cage % CAGES];
    while (!mine->known && forks)
        pthread_cond_wait(&forked, &lock);
    mine->known = 1;
    return mine;
}

static struct descriptor *descriptor(uint64_t cage, uint64_t fd)
{
    struct descriptor *found = fd - FIRST < COUNT ? &of(cage)->open[fd - FIRST] : NULL;
    return found && found->file ? found : NULL;
}

/* Whether the path at `address` is one of ours, and whose file. */
static int ours(uint64_t grate, uint64_t address, uint64_t cage, struct file **found)
{
    char path[256];
    size_t length = strlen(folder);
    if (fetch_string(grate, path, sizeof path, address, cage) < 0 || strncmp(path, folder, length) != 0 ||
        path[length] != '/')
        return 0;
    *found = named(path);
    return 1;
}

static int opened(struct file *file, uint64_t cage, int flags)
{
    struct descriptor *new = of(cage)->open, *end = new + COUNT;
    while (new < end && new->file)
        new++;
    int fault = new == end ? -EMFILE : open_file(file, flags);
    if (fault)
        return fault;
    *new = (struct descriptor){file, 0, flags};
    return FIRST + COUNT - (end - new);
}

static int closed(struct descriptor *it)
{
    it->file = NULL;
    return 0;
}

/* A call that has to do with our files is answered here, under the lock; any other goes on. */
#define ANSWER(name, is_ours, answer)                                                                                \
    static int on_##name(LIND_HANDLER_PARAMS)                                                                        \
    {                                                                                                                \
        struct file *file = NULL;                                                                                    \
        struct descriptor *fd = NULL;                                                                                \
        int result = 0, here;                                                                                        \
        (void)file, (void)fd;                                                                                        \
        pthread_mutex_lock(&lock);                                                                                   \
        if ((here = (is_ours)))                                                                                      \
            result = (answer);                                                                                       \
        pthread_mutex_unlock(&lock);                                                                                 \
        return here ? result : lind_forward(LIND_CALL_##name);                                                       \
    }
#define BY_PATH(name, n, answer) ANSWER(name, ours(grate, arg##n, arg##n##cage, &file), answer)
#define BY_FD(name, answer) ANSWER(name, (fd = descriptor(arg1cage, arg1)) != NULL, answer)

BY_PATH(OPEN, 1, opened(file, arg1cage, arg2))
BY_PATH(OPENAT, 2, opened(file, arg1cage, arg3))
BY_PATH(UNLINK, 1, remove_file(file))
BY_PATH(STAT, 1, stat_file(grate, file, arg2, arg2cage))
BY_PATH(LSTAT, 1, stat_file(grate, file, arg2, arg2cage))
BY_FD(READ, read_file(grate, fd, arg2, arg2cage, arg3))
BY_FD(WRITE, write_file(grate, fd, arg2, arg2cage, arg3))
BY_FD(LSEEK, seek_file(fd, (int64_t)arg2, arg3))
BY_FD(FSTAT, stat_file(grate, fd->file, arg2, arg2cage))
BY_FD(CLOSE, closed(fd))

/* A child has what its parent had before the call; a thread is no child. */
static int on_CLONE(LIND_HANDLER_PARAMS)
{
    static const uint64_t thread = 0x100; /* CLONE_VM */
    uint64_t flags = 0;
    if (fetch(grate, &flags, sizeof flags, arg1, arg1cage) < 0 || flags & thread)
        return lind_forward(LIND_CALL_CLONE);
    pthread_mutex_lock(&lock);
    struct cage before = *of(arg1cage);
    forks++;
    pthread_mutex_unlock(&lock);
    int child = lind_forward(LIND_CALL_CLONE);
    pthread_mutex_lock(&lock);
    if (child > 0)
        cages[child % CAGES] = before;
    forks--;
    pthread_cond_broadcast(&forked);
    pthread_mutex_unlock(&lock);
    return child;
}

static const struct row rows[] = {
    {LIND_CALL_OPEN, on_OPEN},   {LIND_CALL_OPENAT, on_OPENAT}, {LIND_CALL_UNLINK, on_UNLINK},
    {LIND_CALL_STAT, on_STAT},   {LIND_CALL_LSTAT, on_LSTAT},   {LIND_CALL_READ, on_READ},
    {LIND_CALL_WRITE, on_WRITE}, {LIND_CALL_LSEEK, on_LSEEK},   {LIND_CALL_FSTAT, on_FSTAT},
    {LIND_CALL_CLOSE, on_CLOSE}, {LIND_CALL_CLONE, on_CLONE},
};

static void interpose(uint64_t child, uint64_t grate)
{
    interpose_rows(child, grate, rows, sizeof rows);
}

int main(int argc, char **argv)
{
    (void)argc;
    folder = setting(argv, "at", "/mem");
    return launch_behind(argv, interpose);
}
