/* Asks who it is. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    printf("app: getuid %d, geteuid %d\n", (int)getuid(), (int)geteuid());
    return 3;
}
