/* Environment variables: an array of "NAME=value" strings, replaced as a whole when it grows. */
#include "../internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *no_environment[1];
char **environ = no_environment;
weak_alias(environ, __environ);
char *program_invocation_name = "";
char *program_invocation_short_name = "";

static char **own;      /* the array when it is ours to free */

static size_t name_length(const char *name)
{
    return strchrnul(name, '=') - name;
}

static char **slot_of(const char *name, size_t length)
{
    for (char **at = environ; at && *at; at++)
        if (!strncmp(*at, name, length) && (*at)[length] == '=')
            return at;
    return 0;
}

char *getenv(const char *name)
{
    size_t length = name_length(name);
    char **slot = length && !name[length] ? slot_of(name, length) : 0;
    return slot ? *slot + length + 1 : 0;
}

char *secure_getenv(const char *name)
{
    return getenv(name);
}

/* Strings that were put in are not freed when they go: a program may still hold what getenv gave. */
static int put(char *assignment)
{
    char **slot = slot_of(assignment, name_length(assignment));
    if (slot) {
        *slot = assignment;
        return 0;
    }
    size_t count = 0;
    while (environ && environ[count])
        count++;
    char **more = malloc((count + 2) * sizeof *more);
    if (!more)
        return -1;
    memcpy(more, environ, count * sizeof *more);
    more[count] = assignment;
    more[count + 1] = 0;
    free(own);
    environ = own = more;
    return 0;
}

static int bad_name(const char *name)
{
    if (name && *name && !strchr(name, '='))
        return 0;
    errno = EINVAL;
    return 1;
}

int setenv(const char *name, const char *value, int overwrite)
{
    if (bad_name(name))
        return -1;
    if (!overwrite && getenv(name))
        return 0;
    size_t length = strlen(name), size = strlen(value) + 1;
    char *assignment = malloc(length + 1 + size);
    if (!assignment)
        return -1;
    memcpy(assignment, name, length);
    assignment[length] = '=';
    memcpy(assignment + length + 1, value, size);
    return put(assignment);
}

int unsetenv(const char *name)
{
    if (bad_name(name))
        return -1;
    for (char **slot; (slot = slot_of(name, strlen(name)));)
        do
            slot[0] = slot[1];
        while (*slot++);
    return 0;
}

int putenv(char *assignment)
{
    return strchr(assignment, '=') ? put(assignment) : unsetenv(assignment);
}

int clearenv(void)
{
    static char *nothing[1];
    environ = nothing;
    return 0;
}
