/* Two ways at once: a call goes to the group of grates, and also its own way past it. The group's result, the first, is
 * what the program gets; where the other is another it is counted.
 *
 *     lindref run grate.wasm %{ inner.wasm %} app.wasm
 *
 * A grate of the group that passes a call on has it done twice; calls that give a descriptor or wait go one
 * way only, their own. */
#include "../group.h"

LIND_GRATE_ENTRY

static int calls, differ;

#define BOTH(name)                                                                                                   \
    static int on_##name(LIND_HANDLER_PARAMS)                                                                        \
    {                                                                                                                \
        if (!group_serves(LIND_CALL_##name))                                                                         \
            return lind_forward(LIND_CALL_##name);                                                                   \
        int one = into_group(LIND_CALL_##name), other = lind_forward(LIND_CALL_##name);                              \
        calls++;                                                                                                     \
        differ += one != other;                                                                                      \
        return one;                                                                                                  \
    }
#define EACH_CALL(X)                                                                                                 \
    X(WRITE) X(MKDIR) X(RMDIR) X(UNLINK) X(RENAME) X(ACCESS) X(STAT) X(CHMOD) X(GETUID) X(GETEUID) X(GETPPID)
EACH_CALL(BOTH)

#define ROW(name) {LIND_CALL_##name, on_##name},
static const struct row members[] = {EACH_CALL(ROW){0, NULL}};

int main(int argc, char **argv)
{
    (void)argc;
    int status = launch_group(argv);
    printf("tee: %d calls, %d with two results\n", calls, differ);
    return status;
}
