/* Names of files: their parts, and patterns for them. */
#include "../internal.h"

#include <ctype.h>
#include <fnmatch.h>
#include <libgen.h>
#include <string.h>

static char dot[] = ".";

char *__xpg_basename(char *path)
{
    if (!path || !*path)
        return dot;
    char *end = path + strlen(path);
    while (end > path + 1 && end[-1] == '/')
        *--end = 0;
    if (end == path + 1)
        return path;
    char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The GNU function of string.h: what follows the last slash. */
#undef basename
char *basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return (char *)(slash ? slash + 1 : path);
}

char *dirname(char *path)
{
    if (!path || !*path)
        return dot;
    size_t length = strlen(path), root = path[0] == '/' && path[1] == '/' && path[2] != '/' ? 2 : 1;
    while (length > 1 && path[length - 1] == '/')
        length--;
    while (length && path[length - 1] != '/')
        length--;
    if (!length)
        return dot;
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length == 1 && *path == '/' && path[1] == '/')
        length = root; /* two slashes at the beginning may mean something of their own, three do not */
    path[length] = 0;
    return path;
}

static int fold(int c, int flags)
{
    return flags & FNM_CASEFOLD ? tolower((unsigned char)c) : (unsigned char)c;
}

static int in_class(const char *name, size_t length, int c)
{
    static const struct {
        const char *name;
        int (*test)(int);
    } classes[] = {{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
                   {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
                   {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit}};
    for (size_t i = 0; i < LENGTH(classes); i++)
        if (strlen(classes[i].name) == length && !memcmp(classes[i].name, name, length))
            return classes[i].test(c) != 0;
    return 0;
}

/* After "[": 1 or 0 and the place behind "]"; -1 when there is none. */
static int bracket(const char **pattern, int c, int flags)
{
    const char *at = *pattern;
    int inverted = *at == '!' || *at == '^', found = 0;
    at += inverted;
    for (int first = 1; first || *at != ']'; first = 0) {
        if (!*at || (*at == '/' && flags & FNM_PATHNAME))
            return -1;
        if (at[0] == '[' && at[1] == ':') {
            const char *end = strstr(at + 2, ":]");
            if (!end)
                return -1;
            found |= in_class(at + 2, end - at - 2, (unsigned char)c);
            at = end + 2;
            continue;
        }
        if (*at == '\\' && !(flags & FNM_NOESCAPE) && at[1])
            at++;
        int low = fold(*at++, flags), high = low;
        if (at[0] == '-' && at[1] && at[1] != ']') {
            at++;
            if (*at == '\\' && !(flags & FNM_NOESCAPE) && at[1])
                at++;
            high = fold(*at++, flags);
        }
        c = fold(c, flags);
        found |= low <= c && c <= high;
    }
    *pattern = at + 1;
    return found != inverted;
}

static int match(const char *pattern, const char *name, const char *begin, int flags)
{
    for (; *pattern; name++) {
        int period = *name == '.' && flags & FNM_PERIOD &&
                     (name == begin || (name[-1] == '/' && flags & FNM_PATHNAME));
        char c = *pattern++;
        if (c == '*') {
            if (period)
                return FNM_NOMATCH;
            while (*pattern == '*')
                pattern++;
            for (;; name++) {
                if (!match(pattern, name, begin, flags))
                    return 0;
                if (!*name || (*name == '/' && flags & FNM_PATHNAME))
                    return FNM_NOMATCH;
            }
        }
        if (!*name)
            return FNM_NOMATCH;
        if (c == '?') {
            if (period || (*name == '/' && flags & FNM_PATHNAME))
                return FNM_NOMATCH;
            continue;
        }
        if (c == '[') {
            const char *after = pattern;
            if (period || (*name == '/' && flags & FNM_PATHNAME))
                return FNM_NOMATCH;
            int found = bracket(&after, *name, flags);
            if (found == 0)
                return FNM_NOMATCH;
            if (found > 0) {
                pattern = after;
                continue;
            }
        }
        if (c == '\\' && !(flags & FNM_NOESCAPE) && *pattern)
            c = *pattern++;
        if (fold(c, flags) != fold(*name, flags))
            return FNM_NOMATCH;
    }
    return !*name || (*name == '/' && flags & FNM_LEADING_DIR) ? 0 : FNM_NOMATCH;
}

int fnmatch(const char *pattern, const char *name, int flags)
{
    return match(pattern, name, name, flags);
}
