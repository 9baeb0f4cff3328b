/* The child's processes: it may have two of its own, what they run is written down, and one program has a stand-in. */
#include "../launch.h"

#define CLONE_VM 0x100
#define QUOTA 2

LIND_GRATE_ENTRY

static int forks, threads;
static char runs[256];

/* The first word of clone3's arguments are its flags: they tell threads from processes. */
static int count_clone(LIND_HANDLER_PARAMS)
{
    uint64_t flags;
    if (copy_data_between_cages(grate, grate, arg1, arg1cage, (uintptr_t)&flags, grate, sizeof flags,
                                LIND_COPY_BYTES) == ELINDAPIABORTED)
        return -EFAULT;
    if (flags & CLONE_VM)
        threads++;
    else if (forks == QUOTA)
        return -EAGAIN;
    else
        forks++;
    return lind_forward(LIND_CALL_CLONE);
}

static int note_exec(LIND_HANDLER_PARAMS)
{
    static const char stand_in[] = "/new.wasm";
    char path[64];
    if (fetch_string(grate, path, sizeof path, arg1, arg1cage) < 0)
        return -EFAULT;
    size_t used = strlen(runs);
    snprintf(runs + used, sizeof runs - used, " %s", path);
    if (strcmp(path, "/old.wasm") != 0)
        return lind_forward(LIND_CALL_EXECVE);
    return make_threei_call(LIND_CALL_EXECVE, 0, grate, arg1cage, (uintptr_t)stand_in, grate | LIND_GRATE_MEMORY_FLAG,
                            arg2, arg2cage, arg3, arg3cage, arg4, arg4cage, arg5, arg5cage, arg6, arg6cage, 0);
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_CLONE, grate, LIND_HANDLER(count_clone));
    register_handler(child, LIND_CALL_EXECVE, grate, LIND_HANDLER(note_exec));
}

int main(int argc, char **argv)
{
    (void)argc;
    int status = launch(argv, interpose);
    printf("grate: %d forks, %d threads, ran%s\n", forks, threads, runs);
    return status;
}
