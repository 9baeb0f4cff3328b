/* The end of a process: registered functions in reverse order, streams, and the call that ends all threads. */
#include "../internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct registered {
    void (*function)(void *);
    void *argument;
};

static struct registered first_block[32];
static struct registered *functions = first_block;
static size_t count, capacity = LENGTH(first_block);
static volatile int lock;

/* Replaced by stdio when that is part of the program. */
__attribute__((weak)) void __lind_flush_streams(void)
{
}

void *__dso_handle;

_Noreturn void _exit(int status)
{
    for (;;)
        RAW(LIND_CALL_EXIT_GROUP, INT(status));
}
weak_alias(_exit, _Exit);

int __cxa_atexit(void (*function)(void *), void *argument, void *dso)
{
    (void)dso;
    int result = 0;
    __lind_lock(&lock);
    if (count == capacity) {
        struct registered *more = malloc(2 * capacity * sizeof *more);
        if (more) {
            memcpy(more, functions, count * sizeof *more);
            functions = more; /* the old block may be the static one; it is never freed */
            capacity *= 2;
        }
    }
    if (count < capacity)
        functions[count++] = (struct registered){function, argument};
    else
        result = -1;
    __lind_unlock(&lock);
    return result;
}

/* wasm checks the type of an indirect call, so a function without parameters needs one that calls it. */
static void call_plain(void *argument)
{
    ((void (*)(void))argument)();
}

struct with_status {
    void (*function)(int, void *);
    void *argument;
};
static int final_status;

static void call_with_status(void *argument)
{
    struct with_status *it = argument;
    it->function(final_status, it->argument);
}

int on_exit(void (*function)(int, void *), void *argument)
{
    struct with_status *it = malloc(sizeof *it);
    if (!it)
        return -1;
    *it = (struct with_status){function, argument};
    return __cxa_atexit(call_with_status, it, 0);
}

int atexit(void (*function)(void))
{
    return __cxa_atexit(call_plain, (void *)function, 0);
}

_Noreturn void exit(int status)
{
    __lind_lock(&lock);
    final_status = status;
    while (count) {
        struct registered last = functions[--count];
        __lind_unlock(&lock); /* the function may register another one */
        last.function(last.argument);
        __lind_lock(&lock);
    }
    __lind_flush_streams();
    _exit(status);
}
