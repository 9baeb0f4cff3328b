/* A main with parameters. clang names a main without parameters __main_void itself, and then this file is not linked. */
#include "../internal.h"

#include <errno.h>
#include <stdlib.h>

#define IMPORT(name) __attribute__((import_module("lind"), import_name(name)))

IMPORT("args_sizes_get") int __lind_import_args_sizes(uint32_t *count, uint32_t *bytes);
IMPORT("args_get") int __lind_import_args(char **pointers, char *text);

int __main_argc_argv(int argc, char **argv);

int __main_void(void)
{
    uint32_t count = 0, bytes = 0;
    __lind_import_args_sizes(&count, &bytes);
    char *text = malloc(bytes + 1);
    char **argv = calloc(count + 1, sizeof *argv);
    if (!text || !argv || (count && __lind_import_args(argv, text)))
        abort();
    if (count) {
        program_invocation_name = program_invocation_short_name = argv[0];
        for (char *at = argv[0]; *at; at++)
            if (*at == '/')
                program_invocation_short_name = at + 1;
    }
    return __main_argc_argv(count, argv);
}
