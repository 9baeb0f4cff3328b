/* Everything may be looked at and nothing changed: what would change a file system fails with EROFS. */
#include "../grate.h"

#include <fcntl.h>

LIND_GRATE_ENTRY

#define CHANGING (O_CREAT | O_TRUNC)

/* Opening is harmless where nothing can be written through the descriptor and nothing is made or emptied. */
static int harmless(uint64_t flags)
{
    return (flags & O_ACCMODE) == O_RDONLY && !(flags & CHANGING);
}

static int on_open(LIND_HANDLER_PARAMS)
{
    return harmless(arg2) ? lind_forward(LIND_CALL_OPEN) : -EROFS;
}

static int on_openat(LIND_HANDLER_PARAMS)
{
    return harmless(arg3) ? lind_forward(LIND_CALL_OPENAT) : -EROFS;
}

static int refuse(LIND_HANDLER_PARAMS)
{
    UNUSED_ARGUMENTS;
    return -EROFS;
}

/* One handler serves them all, since it does not pass them on. */
static const int refused[] = {
    LIND_CALL_MKDIR,     LIND_CALL_RMDIR,    LIND_CALL_UNLINK,   LIND_CALL_UNLINKAT,  LIND_CALL_RENAME,
    LIND_CALL_RENAMEAT,  LIND_CALL_RENAMEAT2, LIND_CALL_LINK,    LIND_CALL_SYMLINK,   LIND_CALL_SYMLINKAT,
    LIND_CALL_MKNOD,     LIND_CALL_TRUNCATE, LIND_CALL_CHMOD,    LIND_CALL_FCHMOD,    LIND_CALL_FCHMODAT,
    LIND_CALL_CHOWN,     LIND_CALL_LCHOWN,   LIND_CALL_FCHOWNAT, LIND_CALL_UTIMENSAT, LIND_CALL_SETXATTR,
};

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_OPEN, grate, LIND_HANDLER(on_open));
    register_handler(child, LIND_CALL_OPENAT, grate, LIND_HANDLER(on_openat));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        register_handler(child, refused[i], grate, LIND_HANDLER(refuse));
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
