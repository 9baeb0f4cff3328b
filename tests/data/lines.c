/* Source of lines.wasm: what the tests of line numbers look up. Built by
 *   clang --target=wasm32-unknown-wasi -g -O0 -nostdlib -fdebug-prefix-map=$PWD=. -c lines.c
 *   wasm-ld --no-entry --export=sum --export=twice lines.o -o lines.wasm
 * lines5.wasm is this and twice.c with -gdwarf-5 -O1 -ffunction-sections, linked with
 *   --gc-sections --export=four_times --export=twice
 */
#include "lines.h"

static int scale = 3;

int sum(const int *numbers, int count)
{
    int total = 0;
    for (int i = 0; i < count; i++)
        total += numbers[i] * scale;
    return total;
}

int twice(int n)
{
    int pair[2] = {n, n};
    return clamp(sum(pair, 2));
}
