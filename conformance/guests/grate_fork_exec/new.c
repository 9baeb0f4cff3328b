/* Runs in place of old.wasm. */
#include <stdio.h>

int main(int argc, char **argv)
{
    printf("new: %s %s\n", argc > 0 ? argv[0] : "", argc > 1 ? argv[1] : "");
    return 40;
}
