/* strace as a grate: each call of the program with its arguments and its result, on standard error. */
#include "../grate.h"
#include "../names.h"

#include <ctype.h>
#include <fcntl.h>

LIND_GRATE_ENTRY

#define SHOWN 32

/* The calls that are shown, and their arguments by a letter each: d and o numbers, f flags of open, w where lseek starts,
 * s a path, b as many bytes as the next argument says, p a pointer that is not followed. */
#define EACH_CALL(X)                                                                                                 \
    X(OPEN, "open", "sfo") X(READ, "read", "dpd") X(WRITE, "write", "dbd") X(CLOSE, "close", "d")                    \
    X(LSEEK, "lseek", "ddw") X(STAT, "stat", "sp") X(MKDIR, "mkdir", "so")                 \
    X(RMDIR, "rmdir", "s") X(UNLINK, "unlink", "s") X(RENAME, "rename", "ss") X(CHDIR, "chdir", "s")                 \
    X(PIPE, "pipe", "p") X(DUP2, "dup2", "dd") X(CLONE, "clone", "p") X(WAIT4, "wait4", "dpd")                       \
    X(GETPID, "getpid", "") X(GETEUID, "geteuid", "")

#define FLAG(name) {name, #name}
static const struct {
    int bits;
    const char *name;
} flags[] = {FLAG(O_CREAT), FLAG(O_EXCL), FLAG(O_TRUNC), FLAG(O_APPEND), FLAG(O_NONBLOCK), FLAG(O_CLOEXEC)};
static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
static const char *const whences[] = {"SEEK_SET", "SEEK_CUR", "SEEK_END"};

static void show_flags(FILE *to, int value)
{
    fputs(modes[value & O_ACCMODE], to);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (value & flags[i].bits)
            fprintf(to, "|%s", flags[i].name);
}

static void show_bytes(FILE *to, const char *bytes, uint64_t count)
{
    for (const char *c = bytes; c < bytes + count && c < bytes + SHOWN; c++)
        fprintf(to, *c == '\n' ? "\\n" : isprint((unsigned char)*c) ? "%c" : "\\x%02x", (unsigned char)*c);
}

static void put_argument(FILE *to, char kind, uint64_t grate, uint64_t value, uint64_t cage, uint64_t count)
{
    char text[256];
    if (kind == 's' && fetch_string(grate, text, sizeof text, value, cage) == 0)
        fprintf(to, "\"%s\"", text);
    else if (kind == 'b' && fetch(grate, text, count < SHOWN ? count : SHOWN, value, cage) == 0)
        fputc('"', to), show_bytes(to, text, count), fputs(count > SHOWN ? "\"..." : "\"", to);
    else if (kind == 'f')
        show_flags(to, value);
    else if (kind == 'w' && value < 3)
        fputs(whences[value], to);
    else
        fprintf(to, kind == 'd' || kind == 'w' ? "%lld" : kind == 'o' ? "0%llo" : "%#llx", (long long)value);
}

/* The line is made before the call (its memory may be another's afterwards) and written when the result is there. */
static int traced(int number, const char *name, const char *kinds, LIND_HANDLER_PARAMS)
{
    const uint64_t values[] = {arg1, arg2, arg3}, cages[] = {arg1cage, arg2cage, arg3cage};
    char line[1024];
    FILE *to = fmemopen(line, sizeof line, "w");
    fprintf(to, "[cage %d] %s(", (int)arg1cage, name);
    for (int i = 0; kinds[i]; i++) {
        fputs(i ? ", " : "", to);
        put_argument(to, kinds[i], grate, values[i], cages[i], values[i < 2 ? i + 1 : 2]);
    }
    fclose(to);
    int result = lind_forward(number);
    if (result < 0 && result > -134)
        fprintf(stderr, "%s) = -1 %s\n", line, name_of(-result));
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
    interpose_rows(child, grate, rows, sizeof rows);
}

int main(int argc, char **argv)
{
    (void)argc;
    return launch(argv, interpose);
}
