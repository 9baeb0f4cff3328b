/* strace as a grate: each call of the program with its arguments and its result, on standard error. */
#include "../grate.h"

LIND_GRATE_ENTRY

/* The calls that are shown, and their arguments by a letter each: d and o numbers, s a path, b as many bytes as the
 * next argument says, p a pointer that is not followed. */
#define EACH_CALL(X)                                                                                                 \
    X(OPEN, "open", "sdo") X(READ, "read", "dpd") X(WRITE, "write", "dbd") X(CLOSE, "close", "d")                    \
    X(LSEEK, "lseek", "ddd") X(STAT, "stat", "sp") X(ACCESS, "access", "sd") X(MKDIR, "mkdir", "so")                 \
    X(RMDIR, "rmdir", "s") X(UNLINK, "unlink", "s") X(RENAME, "rename", "ss") X(CHDIR, "chdir", "s")                 \
    X(PIPE, "pipe", "p") X(DUP2, "dup2", "dd") X(CLONE, "clone", "p") X(WAIT4, "wait4", "dpd")                       \
    X(GETPID, "getpid", "") X(GETEUID, "geteuid", "")

static size_t shown(char *to, size_t size, char kind, uint64_t grate, uint64_t value, uint64_t cage, uint64_t count)
{
    char text[65] = "";
    if (kind == 's' && fetch_string(grate, text, sizeof text - 1, value, cage) == 0)
        return snprintf(to, size, "\"%s\"", text);
    if (kind == 'b' && fetch(grate, text, count < 64 ? count : 64, value, cage) == 0) {
        for (char *c = text; (c = strchr(c, '\n'));)
            *c = '|';
        return snprintf(to, size, "\"%s\"%s", text, count > 64 ? "..." : "");
    }
    return snprintf(to, size, kind == 'd' ? "%d" : kind == 'o' ? "%#o" : "...", (int)value);
}

/* The line is made before the call (its memory may be another's afterwards) and written when the result is there. */
static int traced(int number, const char *name, const char *kinds, LIND_HANDLER_PARAMS)
{
    const uint64_t values[] = {arg1, arg2, arg3}, cages[] = {arg1cage, arg2cage, arg3cage};
    char line[256];
    size_t used = snprintf(line, sizeof line, "[cage %d] %s(", (int)arg1cage, name);
    for (int i = 0; kinds[i]; i++) {
        used += snprintf(line + used, sizeof line - used, i ? ", " : "");
        used += shown(line + used, sizeof line - used, kinds[i], grate, values[i], cages[i], values[i < 2 ? i + 1 : 2]);
    }
    int result = lind_forward(number);
    if (result < 0 && result > -256)
        fprintf(stderr, "%s) = -1 (%s)\n", line, strerror(-result));
    else
        fprintf(stderr, "%s) = %d\n", line, result);
    return result;
}

#define DEFINE(number, name, kinds)                                                                                  \
    static int on_##number(LIND_HANDLER_PARAMS)                                                                      \
    {                                                                                                                \
        return traced(LIND_CALL_##number, name, kinds, grate, LIND_HANDLER_ARGS);                                    \
    }
EACH_CALL(DEFINE)

#define ROW(number, name, kinds) {LIND_CALL_##number, on_##number},
static const struct row rows[] = {EACH_CALL(ROW)};

static void interpose(uint64_t child, uint64_t grate)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        register_handler(child, rows[i].number, grate, LIND_HANDLER(rows[i].handler));
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
