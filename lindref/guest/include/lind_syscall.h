/* The Lind interface of cages and grates: one gate for every call, and the calls that make a cage a grate.
 *
 * A grate registers one of its functions as the handler of a call of another cage. When that cage makes the call, the
 * function runs in the grate with the call's six arguments, each beside the id of the cage that owns it. Pointers
 * arrive as 64-bit addresses of the whole system, not as pointers of the grate: use copy_data_between_cages. */
#ifndef _LIND_SYSCALL_H
#define _LIND_SYSCALL_H

#include <features.h>
#include <stdint.h>

__BEGIN_DECLS

#define LIND_NOTUSED 0xDEADBEEFDEADBEEFULL      /* value of an argument that a call does not have */
#define LIND_GRATE_MEMORY_FLAG (1ULL << 63)     /* or-ed to one's own id: the argument is a pointer of this cage */
#define LIND_DEREGISTER 500                     /* as handler cage: remove the handler */

#define LIND_REGISTER_HANDLER 1001
#define LIND_COPY_DATA_BETWEEN_CAGES 1002
#define LIND_COPY_HANDLER_TABLE_TO_CAGE 1003

#define LIND_COPY_BYTES 0                       /* copy_data_between_cages: exactly so many bytes */
#define LIND_COPY_STRING 1                      /* … : up to and including the first NUL */

/* What 3i itself answers; as ints: -536805375, -536805374, -536805379. */
#define ELINDAPIABORTED ((int)0xE0010001)
#define ELINDESRCH ((int)0xE0010002)
#define GRATE_ERR (-0x1FFF0003)

/* The names the C library of the real system uses. */
#ifndef NOTUSED
#define NOTUSED LIND_NOTUSED
#endif
#define GRATE_MEMORY_FLAG LIND_GRATE_MEMORY_FLAG

/* The id of this cage; getpid() gives the same. */
uint64_t lind_get_cage_id(void);

/* The system-wide address of this cage's memory byte 0. */
uint64_t lind_get_memory_base(void);

/* The system-wide address of a pointer of this cage (NULL stays 0). */
uint64_t lind_host_address(const void *pointer);

/* Make call `callnumber`, routed by the handler table of cage `self_cageid`, acting on cage `target_cageid`.
 * An argument whose cage id has LIND_GRATE_MEMORY_FLAG set and is otherwise this cage is taken as a pointer of this
 * cage. With `translate_errno` 1 a result in -255…-1 sets errno and becomes -1; with 0 it comes back as it is. */
int make_threei_call(uint32_t callnumber, uint64_t callname, uint64_t self_cageid, uint64_t target_cageid,
                     uint64_t arg1, uint64_t arg1cageid, uint64_t arg2, uint64_t arg2cageid,
                     uint64_t arg3, uint64_t arg3cageid, uint64_t arg4, uint64_t arg4cageid,
                     uint64_t arg5, uint64_t arg5cageid, uint64_t arg6, uint64_t arg6cageid, int translate_errno);

/* Let function `handler` of grate `grate` serve call `callnumber` of cage `cage`. 0, or ELINDESRCH. */
int register_handler(uint64_t cage, uint64_t callnumber, uint64_t grate, uint64_t handler);

/* Copy between two different cages. An address of this cage is a pointer of it, an address of another cage is
 * system-wide. The low half of the destination's system-wide address, or ELINDAPIABORTED. `target` is not used. */
int copy_data_between_cages(uint64_t self, uint64_t target, uint64_t from, uint64_t from_cage,
                            uint64_t to, uint64_t to_cage, uint64_t length, uint64_t type);

/* Replace the handler table of `to_cage` by a copy of that of `from_cage`. 0, ELINDESRCH or ELINDAPIABORTED. */
int copy_handler_table_to_cage(uint64_t from_cage, uint64_t to_cage);

/* What a handler looks like. `grate` is the grate's own id; the caller's id is in the arguments' cage ids. */
typedef int (*lind_handler)(uint64_t grate, uint64_t arg1, uint64_t arg1cage, uint64_t arg2, uint64_t arg2cage,
                            uint64_t arg3, uint64_t arg3cage, uint64_t arg4, uint64_t arg4cage,
                            uint64_t arg5, uint64_t arg5cage, uint64_t arg6, uint64_t arg6cage);

/* The parameter list of a handler, and the same twelve values to hand on. */
#define LIND_HANDLER_PARAMS                                                                                          \
    uint64_t grate, uint64_t arg1, uint64_t arg1cage, uint64_t arg2, uint64_t arg2cage, uint64_t arg3,              \
        uint64_t arg3cage, uint64_t arg4, uint64_t arg4cage, uint64_t arg5, uint64_t arg5cage, uint64_t arg6,       \
        uint64_t arg6cage
#define LIND_HANDLER_ARGS                                                                                            \
    arg1, arg1cage, arg2, arg2cage, arg3, arg3cage, arg4, arg4cage, arg5, arg5cage, arg6, arg6cage

/* `static int my_open(LIND_HANDLER_PARAMS) { … return lind_forward(LIND_CALL_OPEN); }`:
 * pass a call on to what is beneath this grate, unchanged. Only inside a function with LIND_HANDLER_PARAMS. */
#define lind_forward(callnumber) make_threei_call(callnumber, 0, grate, arg1cage, LIND_HANDLER_ARGS, 0)

/* A grate must export the function that the system calls to reach a handler. Write this once in a grate, at file
 * level, unless it defines pass_fptr_to_wt itself. */
#define LIND_GRATE_ENTRY                                                                                             \
    int pass_fptr_to_wt(uint64_t handler, LIND_HANDLER_PARAMS)                                                       \
    {                                                                                                                \
        return ((lind_handler)(uintptr_t)handler)(grate, LIND_HANDLER_ARGS);                                         \
    }

/* A handler as register_handler wants it. */
#define LIND_HANDLER(function) ((uint64_t)(uintptr_t)(lind_handler)(function))

__END_DECLS

#include <lind_syscall_num.h>

#endif
