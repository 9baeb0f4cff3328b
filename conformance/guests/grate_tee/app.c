/* Says something and makes a directory: refused by one, done by the other. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    int made = mkdir("/tmp/d", 0700);
    printf("mkdir: %s\n", made < 0 ? strerror(errno) : "done");
    fflush(stdout);
    return 10 + rmdir("/tmp/d");
}
