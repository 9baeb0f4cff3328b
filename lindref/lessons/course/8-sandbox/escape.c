/* Tries to get out, in the way that argv[1] names. */
#include <errno.h>
#include <fcntl.h>
#include <lind_syscall.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char secret[] = "the parent's secret";

/* Reads memory that nobody mapped for this cage. */
static void wild(void)
{
    printf("%d\n", *(volatile int *)0xf0000000);
}

/* Calls a number as if it were a function. */
static void jump(void)
{
    ((void (*)(void))0x7777)();
}

/* Climbs out of the root. */
static void climb(void)
{
    int fd = open("/../../../../../../etc/hostname", O_RDONLY);
    printf("open: %s\n", fd < 0 ? strerror(errno) : "it is there");
}

/* The child overwrites the secret; the parent looks. */
static void overwrite(void)
{
    if (fork() == 0) {
        strcpy(secret, "nothing left");
        _exit(0);
    }
    wait(NULL);
    printf("still: %s\n", secret);
}

/* A child becomes a program of its own, which asks 3i for the parent's bytes: it knows the address, and the parent's id. */
static void ask(void)
{
    if (fork() == 0) {
        execl("/escape.wasm", "escape", "thief", NULL);
        _exit(1);
    }
    wait(NULL);
}

static void thief(void)
{
    static char loot[sizeof secret];
    uint64_t me = lind_get_cage_id(), parent = getppid();
    uint64_t there = lind_host_address(secret) - lind_get_memory_base() + strtoull(getenv("PARENT_BASE"), 0, 10);
    int result = copy_data_between_cages(me, me, there, parent, (uintptr_t)loot, me, sizeof loot, LIND_COPY_BYTES);
    printf("3i says %d, the child holds \"%s\"\n", result < 0 ? result : 0, loot);
}

int main(int argc, char **argv)
{
    static char base[40];
    sprintf(base, "PARENT_BASE=%llu", (unsigned long long)lind_get_memory_base());
    if (!getenv("PARENT_BASE"))
        putenv(base);
    void (*ways[])(void) = {wild, jump, climb, overwrite, ask, thief};
    const char *names[] = {"wild", "jump", "climb", "overwrite", "ask", "thief"};
    for (int i = 0; argc > 1 && i < 6; i++)
        if (strcmp(argv[1], names[i]) == 0)
            ways[i]();
    return 0;
}
