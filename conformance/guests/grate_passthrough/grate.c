/* Every call of the child comes here first and goes on to what is beneath, arguments unchanged. The child must not be
 * able to tell, and neither must its own children. */
#include "../calls.h"
#include "../launch.h"

LIND_GRATE_ENTRY

/* A handler is not told which call it serves, so each call has one of its own. */
#define DEFINE(name)                                                                                                 \
    static int pass_##name(LIND_HANDLER_PARAMS)                                                                      \
    {                                                                                                                \
        return lind_forward(LIND_CALL_##name);                                                                       \
    }
EACH_CALL(DEFINE)

#define ROW(name) {LIND_CALL_##name, pass_##name},
static const struct {
    int number;
    lind_handler handler;
} rows[] = {EACH_CALL(ROW)};

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
