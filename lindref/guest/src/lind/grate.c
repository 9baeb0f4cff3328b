/* The calls that make a cage a grate. Their results are raw: none of them sets errno. */
#include "../internal.h"

/* All of them: self = target = `self`, only the first pairs differ. */
static int threei(uint32_t number, uint64_t self, uint64_t a1, uint64_t c1, uint64_t a2, uint64_t c2,
                  uint64_t a3, uint64_t a4)
{
    return make_threei_call(number, 0, self, self, a1, c1, a2, c2, a3, LIND_NOTUSED, a4, LIND_NOTUSED,
                            LIND_NOTUSED, LIND_NOTUSED, LIND_NOTUSED, LIND_NOTUSED, 0);
}

/* On the wire the call number travels where the cage id of the first argument would be, and the handler's cage
 * where that of the second would be. */
int register_handler(uint64_t cage, uint64_t callnumber, uint64_t grate, uint64_t handler)
{
    return threei(LIND_REGISTER_HANDLER, grate, cage, callnumber, LIND_NOTUSED, grate, handler, LIND_NOTUSED);
}

/* Addresses of this cage are pointers and get the base added; those of other cages are system-wide already. */
static uint64_t own_address(uint64_t address, uint64_t cage)
{
    return cage == __lind_cageid ? __lind_base + address : address;
}

int copy_data_between_cages(uint64_t self, uint64_t target, uint64_t from, uint64_t from_cage,
                            uint64_t to, uint64_t to_cage, uint64_t length, uint64_t type)
{
    (void)target;
    return threei(LIND_COPY_DATA_BETWEEN_CAGES, self, own_address(from, from_cage), from_cage,
                  own_address(to, to_cage), to_cage, length, type);
}

int copy_handler_table_to_cage(uint64_t from_cage, uint64_t to_cage)
{
    return threei(LIND_COPY_HANDLER_TABLE_TO_CAGE, from_cage, from_cage, to_cage, LIND_NOTUSED, LIND_NOTUSED,
                  LIND_NOTUSED, LIND_NOTUSED);
}
