/* A position-independent program that opens libraries, forks with them, and runs a thread's worth of their code. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main_data = 100;
static int begun;

__attribute__((constructor)) static void begin(void)
{
    begun++;
}

int main_adds(int n)
{
    return n + begun;
}

static void *open_library(const char *name, int mode)
{
    void *handle = dlopen(name, mode);
    printf("open %s: %s\n", name, handle ? "yes" : dlerror());
    return handle;
}

#define FIND(handle, type, name) type name = (type)dlsym(handle, #name)
typedef int (*fn1)(int);
typedef int (*fn0)(void);

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    printf("begun %d times\n", begun);
    void *first = open_library("first.so", RTLD_NOW);
    FIND(first, fn1, first_fn);
    FIND(first, fn1, first_asks_main);
    FIND(first, fn0, first_weak);
    FIND(first, int *, shared_data);
    int (*first_by_table)(int, int) = (int (*)(int, int))dlsym(first, "first_by_table");
    int *(*first_own)(void) = (int *(*)(void))dlsym(first, "first_own");
    printf("calls %d %d %d %d %d\n", first_fn(1), first_asks_main(2), first_by_table(0, 3), first_by_table(1, 4),
           first_weak());
    if (!strcmp(what, "missing")) {
        FIND(first, fn0, first_missing);
        return first_missing();
    }
    if (shared_data)
        printf("data %d, thread's own %d\n", *shared_data, *first_own());
    *first_own() = 9;

    void *second = open_library("./second.so", RTLD_NOW | RTLD_GLOBAL);
    FIND(second, fn1, second_fn);
    FIND(second, fn0, second_shared);
    printf("second %d\n", second_shared());
    if (strcmp(what, "lind"))
        printf("needed %d, default %d\n", second_fn(2), dlsym(RTLD_DEFAULT, "second_fn") == (void *)second_fn);
    printf("again %d, close %d %d\n", dlopen("first.so", RTLD_NOW) == first, dlclose(first), dlclose(first));
    printf("none: %s\n", dlsym(second, "nothing") ? "found" : dlerror());
    open_library("nothing.so", RTLD_NOW);
    open_library("main.c", RTLD_NOW);
    fflush(stdout);

    int child = fork();
    if (!child) {
        void *alone = open_library("alone.so", RTLD_NOW);
        FIND(alone, fn1, alone_fn);
        printf("child: own %d, alone %d\n", *first_own(), alone_fn(1));
        fflush(stdout);
        _exit(3);
    }
    int status = 0;
    waitpid(child, &status, 0);
    printf("child %d, own still %d\n", WEXITSTATUS(status), *first_own());
    open_library("broken.so", RTLD_NOW);
    open_library("broken.so", RTLD_NOW);
    return 0;
}
