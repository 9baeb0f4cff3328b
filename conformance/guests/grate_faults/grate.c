/* Makes one call fail: the nth of a kind, with an error of one's choice. The call does not go any further.
 *
 *     lindref run grate.wasm call=write nth=2 error=ENOSPC app.wasm */
#include "../grate.h"

LIND_GRATE_ENTRY

struct name {
    const char *text;
    int number;
};

static const struct name calls[] = {
    {"open", LIND_CALL_OPEN},     {"read", LIND_CALL_READ},   {"write", LIND_CALL_WRITE},
    {"close", LIND_CALL_CLOSE},   {"mkdir", LIND_CALL_MKDIR}, {"unlink", LIND_CALL_UNLINK},
    {"rename", LIND_CALL_RENAME}, {"pipe", LIND_CALL_PIPE},   {"socket", LIND_CALL_SOCKET},
    {"clone", LIND_CALL_CLONE},   {"mmap", LIND_CALL_MMAP},   {NULL, 0},
};
static const struct name errors[] = {
    {"EPERM", EPERM},   {"ENOENT", ENOENT}, {"EINTR", EINTR},   {"EIO", EIO},       {"EAGAIN", EAGAIN},
    {"ENOMEM", ENOMEM}, {"EACCES", EACCES}, {"EMFILE", EMFILE}, {"ENOSPC", ENOSPC}, {NULL, 0},
};

static int number, error, nth, seen;

/* It is registered for one call, so it knows which that is. */
static int on_call(LIND_HANDLER_PARAMS)
{
    return ++seen == nth ? -error : lind_forward(number);
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, number, grate, LIND_HANDLER(on_call));
}

/* What `text` stands for, -1 if it stands for nothing. */
static int named(const struct name *names, const char *text)
{
    for (; names->text; names++)
        if (strcmp(names->text, text) == 0)
            return names->number;
    fprintf(stderr, "faults: there is no %s\n", text);
    return -1;
}

int main(int argc, char **argv)
{
    (void)argc;
    number = named(calls, setting(argv, "call", "write"));
    error = named(errors, setting(argv, "error", "EIO"));
    nth = atoi(setting(argv, "nth", "1"));
    return number < 0 || error < 0 ? 2 : launch_behind(argv, interpose);
}
