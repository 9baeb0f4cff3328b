/* Terminals: the system tells them from other files, and nothing more. */
#include "../internal.h"

#include <errno.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>

char *ttyname(int fd)
{
    static char name[] = "/dev/tty";
    return isatty(fd) ? name : 0;
}

int ttyname_r(int fd, char *name, size_t size)
{
    const char *found = ttyname(fd);
    if (!found)
        return errno;
    if (strlen(found) >= size)
        return ERANGE;
    strcpy(name, found);
    return 0;
}

char *ctermid(char *name)
{
    static char own[] = "/dev/tty";
    return name ? strcpy(name, own) : own;
}
