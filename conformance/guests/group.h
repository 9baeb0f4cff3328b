/* A grate over a group of grates: `grate.wasm %{ inner.wasm %} app.wasm`.
 *
 * The words behind %{ launch each other as ever. While they do, this grate serves their registrations: where a grate of
 * the group registers itself for a call that `members` names, the handler named there gets its place, and the group's
 * own is kept under the number GROUP + call in the table of this grate. The exec of the word %} ends that: then the
 * other members are registered over the program as well. */
#ifndef GROUP_H
#define GROUP_H

#include "grate.h"

#define GROUP 100000

/* The calls that go to the group, defined by the grate; {0, NULL} is the last. */
static const struct row members[];

/* What the group has registered, by call: its grate that is closest to the program, and how that one is reached. */
static struct {
    uint64_t grate, handler;
} closest[512];
static int complete;

/* Whether a grate of the group serves such calls, and a call given to it, or on where none does. */
#define group_serves(number) (closest[number].grate != 0)
#define into_group(number)                                                                                           \
    make_threei_call(group_serves(number) ? GROUP + (number) : (number), 0, grate, arg1cage, LIND_HANDLER_ARGS, 0)

static lind_handler member(uint64_t number)
{
    for (const struct row *row = members; row->handler; row++)
        if (row->number == (int)number)
            return row->handler;
    return NULL;
}

/* Beside the cage is the call's number, beside the second argument the handler's grate. */
static int on_register(LIND_HANDLER_PARAMS)
{
    uint64_t cage = arg1, number = arg1cage, inner = arg2cage;
    lind_handler mine = complete || inner == LIND_DEREGISTER ? NULL : member(number);
    if (!mine)
        return make_threei_call(LIND_REGISTER_HANDLER, 0, grate, inner, LIND_HANDLER_ARGS, 0);
    if (group_serves(number)) /* what this one passes on goes to the one that was there before */
        make_threei_call(LIND_REGISTER_HANDLER, 0, grate, grate, inner, number, arg2, closest[number].grate,
                         closest[number].handler, arg3cage, arg4, arg4cage, arg5, arg5cage, arg6, arg6cage, 0);
    closest[number].grate = inner;
    closest[number].handler = arg3;
    register_handler(cage, number, grate, LIND_HANDLER(mine));
    return make_threei_call(LIND_REGISTER_HANDLER, 0, grate, grate, grate, GROUP + number, arg2, inner, arg3, arg3cage,
                            arg4, arg4cage, arg5, arg5cage, arg6, arg6cage, 0);
}

/* %} in the place of a program: what is run is the next word. */
static int on_exec(LIND_HANDLER_PARAMS)
{
    char path[3];
    uint64_t program;
    if (complete || fetch_string(grate, path, sizeof path, arg1, arg1cage) < 0 || strcmp(path, "%}") != 0)
        return lind_forward(LIND_CALL_EXECVE);
    if (fetch(grate, &program, sizeof program, arg2 + sizeof program, arg2cage) < 0)
        return -EFAULT;
    complete = 1;
    for (const struct row *row = members; row->handler; row++)
        if (!group_serves(row->number))
            register_handler(arg1cage, row->number, grate, LIND_HANDLER(row->handler));
    return make_threei_call(LIND_CALL_EXECVE, 0, grate, arg1cage, program, arg1cage, arg2 + sizeof program, arg2cage,
                            THE_REST);
}

static void interpose_on_group(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_REGISTER_HANDLER, grate, LIND_HANDLER(on_register));
    register_handler(child, LIND_CALL_EXECVE, grate, LIND_HANDLER(on_exec));
}

/* Settings, then %{, then the group and the program; no group is a group without grates. */
static int launch_group(char **argv)
{
    char *name = *argv;
    complete = 1;
    while (argv[1] && (strchr(argv[1], '=') || strcmp(argv[1], "%{") == 0)) {
        complete = complete && strchr(argv[1], '=');
        *++argv = name;
    }
    return launch(argv, interpose_on_group);
}

#endif
