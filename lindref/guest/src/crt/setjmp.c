/* setjmp and longjmp. The compiler replaces their calls: longjmp throws a wasm exception, and a function that calls
 * setjmp catches it, asks whether the buffer is one that it filled itself, and goes on at the place it remembers, or
 * throws on. Here are the functions that it calls for that. */
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

/* What travels with the exception; the compiler reads it. */
struct jump {
    void *buffer;
    int value;
};

/* The first words of a jmp_buf. */
struct place {
    void *invocation;    /* which call of which function filled it (LLVM 19 and later) */
    uint32_t label;      /* which setjmp in it; numbered from 1 */
    struct jump jump;
};
_Static_assert(sizeof(struct place) <= sizeof ((jmp_buf *)0)[0]->__words, "the buffer has room");

#define TAG_LONGJMP 1

void __wasm_setjmp(void *buffer, uint32_t label, void *invocation)
{
    struct place *place = buffer;
    place->invocation = invocation;
    place->label = label;
}

uint32_t __wasm_setjmp_test(void *buffer, void *invocation)
{
    struct place *place = buffer;
    return place->invocation == invocation ? place->label : 0;
}

void __wasm_longjmp(void *buffer, int value)
{
    struct place *place = buffer;
    place->jump.buffer = buffer;
    place->jump.value = value ? value : 1;
    __builtin_wasm_throw(TAG_LONGJMP, &place->jump);
}

/* clang 18 keeps a table of (number, label) for each call of a function that calls setjmp, ended by a zero number.
 * saveSetjmp adds a row and gives the table back, its size by setTempRet0; testSetjmp looks a number up. */

struct row {
    uint32_t number, label;
};

static volatile uint32_t last_number;
static _Thread_local uint32_t second_result;

void setTempRet0(uint32_t value)
{
    second_result = value;
}

uint32_t getTempRet0(void)
{
    return second_result;
}

struct row *saveSetjmp(void *buffer, uint32_t label, struct row *table, uint32_t size)
{
    uint32_t number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED), used = 0;
    *(uint32_t *)buffer = number;
    while (used < size && table[used].number)
        used++;
    if (used + 1 >= size) {
        size = 2 * size + 2;
        table = realloc(table, (size + 1) * sizeof *table);
        if (!table)
            abort();
    }
    table[used] = (struct row){number, label};
    table[used + 1].number = 0;
    setTempRet0(size);
    return table;
}

uint32_t testSetjmp(uint32_t number, struct row *table, uint32_t size)
{
    for (uint32_t i = 0; i < size && table[i].number; i++)
        if (table[i].number == number)
            return table[i].label;
    return 0;
}
