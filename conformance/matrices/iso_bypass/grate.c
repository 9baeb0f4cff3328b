/* The policy: /secret, and links to it, cannot be opened; nor can the handlers of the cage beneath be taken away. */
#include "../../guests/launch.h"

#include <fcntl.h>

LIND_GRATE_ENTRY

static int secret(uint64_t grate, uint64_t address, uint64_t cage)
{
    char path[256];
    if (fetch_string(grate, path, sizeof path, address, cage) < 0)
        return 0;
    return strcmp(path, "/secret") == 0 || strcmp(path, "/tmp/link") == 0;
}

static int check_open(LIND_HANDLER_PARAMS)
{
    return secret(grate, arg1, arg1cage) ? -EACCES : lind_forward(LIND_CALL_OPEN);
}

static int check_openat(LIND_HANDLER_PARAMS)
{
    return secret(grate, arg2, arg2cage) ? -EACCES : lind_forward(LIND_CALL_OPENAT);
}

static int check_register(LIND_HANDLER_PARAMS)
{
    (void)grate, (void)arg1, (void)arg1cage, (void)arg2, (void)arg2cage, (void)arg3, (void)arg3cage, (void)arg4;
    (void)arg4cage, (void)arg5, (void)arg5cage, (void)arg6, (void)arg6cage;
    return -EPERM;
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_OPEN, grate, LIND_HANDLER(check_open));
    register_handler(child, LIND_CALL_OPENAT, grate, LIND_HANDLER(check_openat));
    register_handler(child, LIND_REGISTER_HANDLER, grate, LIND_HANDLER(check_register));
}

int main(int argc, char **argv)
{
    (void)argc;
    close(open("/secret", O_CREAT | O_WRONLY, 0600));
    return launch(argv, interpose);
}
