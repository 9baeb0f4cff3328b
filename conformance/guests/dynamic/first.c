/* A library with state of every kind: data, thread-local data, pointers to be relocated, constructors. */
#include <stdio.h>

int shared_data = 11;
_Thread_local int own = 4;
static int ready;

int main_adds(int n);
extern int main_data;

__attribute__((constructor)) static void begin(void)
{
    ready = 5;
    printf("first begins, main_data %d\n", main_data);
}

__attribute__((destructor)) static void end(void)
{
    printf("first ends\n");
}

int shared_name(void)
{
    return 1;
}

int first_fn(int n)
{
    return n + ready;
}

int *first_own(void)
{
    return &own;
}

int first_asks_main(int n)
{
    return main_adds(n) + main_data;
}

static int (*const table[])(int) = {first_fn, first_asks_main};

int first_by_table(int which, int n)
{
    return table[which](n);
}

void *first_address(void)
{
    return (void *)shared_name;
}

__attribute__((weak)) int nobody_has_this(void);

int first_weak(void)
{
    return nobody_has_this ? nobody_has_this() : -1;
}

int first_missing(void)
{
    return nobody_has_this();
}
