/* Program start: identity, constructors, environment, arguments, main, exit. Part of every program, static or dynamic:
 * in a dynamic one the loader has run the constructors by then, and the rest of the library is a module of its own. */
#include "../internal.h"

#include <stdlib.h>
#include <unistd.h>

#define IMPORT(name) __attribute__((import_module("lind"), import_name(name)))

IMPORT("environ_sizes_get") int __lind_import_environ_sizes(uint32_t *count, uint32_t *bytes);
IMPORT("environ_get") int __lind_import_environ(char **pointers, char *text);

int __main_void(void);
void __wasm_call_ctors(void);
void signal_callback(int handler, int number);

#ifndef __PIC__
/* Function pointers 0 and 1 mean SIG_DFL and SIG_IGN, so no function of the program may have number 1. This file comes
 * first in the link, and the first function whose address is taken gets it. */
static void unused_function_pointer(void)
{
}
void *const volatile __lind_first_functions[] = {(void *)unused_function_pointer, (void *)signal_callback};
#endif

/* Where the linker put the stack of the first thread. */
extern char __stack_low, __stack_high;

static void read_environment(void)
{
    uint32_t count = 0, bytes = 0;
    if (__lind_import_environ_sizes(&count, &bytes) || !count)
        return;
    char *text = malloc(bytes);
    char **pointers = calloc(count + 1, sizeof *pointers);
    if (text && pointers && !__lind_import_environ(pointers, text))
        environ = pointers;
}

__attribute__((export_name("_start"))) int _start(void)
{
#ifndef __PIC__
    (void)__lind_first_functions[0];
#endif
    __lind_set_self(&__lind_main_thread);
    __lind_main_thread.stack_low = &__stack_low;
    __lind_main_thread.stack_size = &__stack_high - &__stack_low;
    __lind_learn_identity();
#ifndef __PIC__
    __wasm_call_ctors();
#endif
    read_environment();
    exit(__main_void());
}
