/* Small functions of stdlib.h and unistd.h. */
#include "../internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* quick_exit runs its own list of functions and nothing else. */

static void (*quick[32])(void);
static unsigned quick_count;

int at_quick_exit(void (*function)(void))
{
    if (quick_count == LENGTH(quick))
        return -1;
    quick[quick_count++] = function;
    return 0;
}

_Noreturn void quick_exit(int status)
{
    while (quick_count)
        quick[--quick_count]();
    _exit(status);
}

int getsubopt(char **option, char *const *tokens, char **value)
{
    char *text = *option, *end = strchrnul(text, ',');
    *option = *end ? end + 1 : end;
    *end = 0;
    *value = 0;
    for (int i = 0; tokens[i]; i++) {
        size_t length = strlen(tokens[i]);
        if (strncmp(text, tokens[i], length) || (text[length] && text[length] != '='))
            continue;
        if (text[length])
            *value = text + length + 1;
        return i;
    }
    *value = text;
    return -1;
}

void swab(const void *restrict from, void *restrict to, ssize_t size)
{
    const char *in = from;
    char *out = to;
    for (; size > 1; size -= 2, in += 2, out += 2) {
        char first = in[0];
        out[0] = in[1];
        out[1] = first;
    }
}
