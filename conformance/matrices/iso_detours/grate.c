/* The policy: nothing is unlinked, and tables of handlers stay as they are. */
#include "../../guests/launch.h"

#include <fcntl.h>

LIND_GRATE_ENTRY

static int refuse(LIND_HANDLER_PARAMS)
{
    (void)grate, (void)arg1, (void)arg1cage, (void)arg2, (void)arg2cage, (void)arg3, (void)arg3cage, (void)arg4;
    (void)arg4cage, (void)arg5, (void)arg5cage, (void)arg6, (void)arg6cage;
    return -EPERM;
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_UNLINK, grate, LIND_HANDLER(refuse));
    register_handler(child, LIND_CALL_UNLINKAT, grate, LIND_HANDLER(refuse));
    register_handler(child, LIND_REGISTER_HANDLER, grate, LIND_HANDLER(refuse));
    register_handler(child, LIND_COPY_HANDLER_TABLE_TO_CAGE, grate, LIND_HANDLER(refuse));
}

int main(int argc, char **argv)
{
    (void)argc;
    close(open("/tmp/kept", O_CREAT | O_WRONLY, 0600));
    return launch(argv, interpose);
}
