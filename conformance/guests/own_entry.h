/* A grate as one writes it without the kit's macros: its own entry, and handlers with all their parameters. */
#ifndef OWN_ENTRY_H
#define OWN_ENTRY_H

#include <errno.h>
#include <lind_syscall.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARAMETERS                                                                                                   \
    uint64_t cageid, uint64_t arg1, uint64_t arg1cage, uint64_t arg2, uint64_t arg2cage, uint64_t arg3,              \
        uint64_t arg3cage, uint64_t arg4, uint64_t arg4cage, uint64_t arg5, uint64_t arg5cage, uint64_t arg6,        \
        uint64_t arg6cage
#define REST arg3, arg3cage, arg4, arg4cage, arg5, arg5cage, arg6, arg6cage, 0

typedef int (*handler)(PARAMETERS);

int pass_fptr_to_wt(uint64_t pointer, PARAMETERS)
{
    if (!pointer) {
        fprintf(stderr, "no function\n");
        abort();
    }
    handler function = (handler)(uintptr_t)pointer;
    return function(cageid, arg1, arg1cage, arg2, arg2cage, arg3, arg3cage, arg4, arg4cage, arg5, arg5cage, arg6,
                    arg6cage);
}

#endif
