/* The smallest guest: one line to standard output. */
#include <stdio.h>

int main(void)
{
    printf("hello, world\n");
    return 0;
}
