/* Nobody gets to see this one. */
#include <stdio.h>

int main(void)
{
    printf("old\n");
    return 1;
}
