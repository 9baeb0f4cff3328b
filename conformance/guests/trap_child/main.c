/* What a program may not do ends it: its parent learns of it and goes on. */
#include "../names.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

static volatile int zero;
static int (*volatile wrong)(int, int);

static int one(int x)
{
    return x;
}


static void misbehave(int how)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    switch (how) {
    case 0: zero = 77 / zero; break;
    case 1: munmap(page, 4096); page[0] = 1; break;
    case 2: mprotect(page, 4096, PROT_READ); page[1] = 1; break;
    case 3: wrong = (int (*)(int, int))(void *)one; wrong(1, 2); break;
    case 4: __builtin_trap();
    case 5: zero = INT32_MIN / (zero - 1); break;
    case 6: mprotect(page, 4096, PROT_NONE); zero = page[5]; break;
    }
    printf("%d went on\n", how);
    exit(0);
}

int main(void)
{
    for (int how = 0; how < 7; how++) {
        int status;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0)
            misbehave(how);
        waitpid(child, &status, 0);
        printf("%d: %s %d\n", how, WIFEXITED(status) ? "exit" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    }
    printf("the parent goes on\n");
    return 0;
}
