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

/* Of the grates in groups within this one's group: the grate whose group it is, and the calls for which they go to
 * another of that group. */
#define MEMBERS 4096
static uint64_t group_of[MEMBERS];
static char has_own[MEMBERS][512];

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

static void interpose_on_group(uint64_t child, uint64_t grate);

/* A registration by which a group is put together: a grate over a group that has this one in it takes no place in it. */
static int put(uint64_t grate, uint64_t cage, uint64_t number, uint64_t inner, uint64_t handler)
{
    return make_threei_call(LIND_REGISTER_HANDLER, 0, grate, grate, cage, number, LIND_NOTUSED, inner, handler, grate,
                            GROUP, grate, LIND_NOTUSED, grate, LIND_NOTUSED, grate, 0);
}

/* A group in this one's group is put together: beneath its grates is what is beneath this one, not this one again, and
 * what this one stood in the way of it may replace. */
static int put_within(uint64_t grate, uint64_t cage, uint64_t number, uint64_t inner, uint64_t handler)
{
    if (number == LIND_REGISTER_HANDLER) {
        copy_handler_table_to_cage(grate, cage);
        interpose_on_group(cage, grate);
    } else if (number > GROUP && inner < MEMBERS)
        group_of[inner] = cage;
    else if (number < 512 && cage < MEMBERS)
        has_own[cage][number] = 1;
    return put(grate, cage, number, inner, handler);
}

/* Beside the cage is the call's number, beside the second argument the handler's grate. */
static int on_register(LIND_HANDLER_PARAMS)
{
    uint64_t cage = arg1, number = arg1cage, inner = arg2cage;
    lind_handler mine = complete || inner == LIND_DEREGISTER ? NULL : member(number);
    if (!complete && arg4 == GROUP)
        return put_within(grate, cage, number, inner, arg3);
    if (!mine)
        return make_threei_call(LIND_REGISTER_HANDLER, 0, grate, inner, LIND_HANDLER_ARGS, 0);
    if (group_serves(number) && closest[number].grate != inner) /* what this one passes on goes to the one before */
        for (int other = 0; other < MEMBERS; other++)
            if (other == (int)inner || group_of[other] == inner)
                if (!has_own[other][number])
                    put(grate, other, number, closest[number].grate, closest[number].handler);
    closest[number].grate = inner;
    closest[number].handler = arg3;
    int result = put(grate, grate, GROUP + number, inner, arg3);
    register_handler(cage, number, grate, LIND_HANDLER(mine));
    return result;
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
