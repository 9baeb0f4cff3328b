/* The gate of the cage: the imported host functions, and the conversions that happen before and after a call. */
#include "../internal.h"

#include <errno.h>

#define IMPORT(name) __attribute__((import_module("lind"), import_name(name)))

IMPORT("make-syscall")
int __lind_import_make_syscall(uint32_t number, uint64_t name, uint64_t self, uint64_t target,
                               uint64_t a1, uint64_t c1, uint64_t a2, uint64_t c2, uint64_t a3, uint64_t c3,
                               uint64_t a4, uint64_t c4, uint64_t a5, uint64_t c5, uint64_t a6, uint64_t c6);
IMPORT("lind-get-memory-base") uint64_t __lind_import_memory_base(void);
IMPORT("lind-get-cage-id") uint64_t __lind_import_cage_id(void);

uint64_t __lind_base;
uint64_t __lind_cageid;

/* At start, and again in the child of a fork, which is another cage at another base. */
void __lind_learn_identity(void)
{
    __lind_base = __lind_import_memory_base();
    __lind_cageid = __lind_import_cage_id();
}

uint64_t lind_get_cage_id(void)
{
    return __lind_cageid;
}

uint64_t lind_get_memory_base(void)
{
    return __lind_base;
}

uint64_t lind_host_address(const void *pointer)
{
    return pointer ? __lind_base + (uintptr_t)pointer : 0;
}

/* Results in (-256, 0) are error numbers; smaller ones are addresses above 2 GiB or answers of 3i itself. */
int __lind_result(int raw)
{
    if (raw < 0 && raw > -256) {
        errno = -raw;
        return -1;
    }
    return raw;
}

int __lind_raw(uint32_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6)
{
    uint64_t me = __lind_cageid;
    return __lind_import_make_syscall(number, 0, me, me, a1, me, a2, me, a3, me, a4, me, a5, me, a6, me);
}

int __lind_call(uint32_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6)
{
    return __lind_result(__lind_raw(number, a1, a2, a3, a4, a5, a6));
}

/* An argument whose cage id carries the memory flag and is this cage's is a pointer of this cage. */
static uint64_t translated(uint64_t value, uint64_t cage)
{
    int flagged = cage & LIND_GRATE_MEMORY_FLAG ? 1 : 0;
    return flagged && (cage & ~LIND_GRATE_MEMORY_FLAG) == __lind_cageid ? __lind_base + value : value;
}

int make_threei_call(uint32_t callnumber, uint64_t callname, uint64_t self_cageid, uint64_t target_cageid,
                     uint64_t arg1, uint64_t arg1cageid, uint64_t arg2, uint64_t arg2cageid,
                     uint64_t arg3, uint64_t arg3cageid, uint64_t arg4, uint64_t arg4cageid,
                     uint64_t arg5, uint64_t arg5cageid, uint64_t arg6, uint64_t arg6cageid, int translate_errno)
{
#define PAIR(n) translated(arg##n, arg##n##cageid), arg##n##cageid & ~LIND_GRATE_MEMORY_FLAG
    int result = __lind_import_make_syscall(callnumber, callname, self_cageid, target_cageid,
                                            PAIR(1), PAIR(2), PAIR(3), PAIR(4), PAIR(5), PAIR(6));
    return translate_errno ? __lind_result(result) : result;
}
