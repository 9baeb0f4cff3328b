/* The functions of string.h against plain definitions, on random strings at every alignment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static unsigned long state = 1;
static int failures;

static unsigned next(unsigned below)
{
    state = (state * 1103515245u + 12345u) & 0xffffffffu;
    return (state >> 8) % below;
}

static char pool[512], other[512], copy[512];

/* Random text of few letters, so that things are found; where it begins is random too. */
static char *random_text(char *in, unsigned letters, unsigned longest)
{
    char *at = in + next(16);
    unsigned length = next(longest + 1);
    for (unsigned i = 0; i < length; i++)
        at[i] = next(20) == 0 ? (char)(200 + next(20)) : (char)('a' + next(letters));
    at[length] = 0;
    return at;
}

static void check(const char *what, long got, long wanted)
{
    if (got != wanted && failures++ < 10)
        printf("%s: %ld, not %ld\n", what, got, wanted);
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static size_t length_of(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

static int compare(const char *a, const char *b, size_t limit)
{
    for (size_t i = 0; i < limit; i++) {
        if (a[i] != b[i])
            return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
        if (!a[i])
            return 0;
    }
    return 0;
}

static const char *find_byte(const char *s, int c, int last)
{
    const char *found = NULL;
    for (;; s++) {
        if (*s == (char)c) {
            found = s;
            if (!last)
                return found;
        }
        if (!*s)
            return found;
    }
}

static const char *find_text(const char *s, const char *what)
{
    for (;; s++) {
        if (compare(s, what, length_of(what)) == 0)
            return s;
        if (!*s)
            return NULL;
    }
}

static size_t span(const char *s, const char *set, int inside)
{
    size_t n = 0;
    while (s[n] && (find_byte(set, s[n], 0) != NULL) == inside)
        n++;
    return n;
}

static long offset(const void *found, const void *base)
{
    return found ? (const char *)found - (const char *)base : -1;
}

static void one_round(void)
{
    char *a = random_text(pool, 3, 60), *b = random_text(other, 3, next(2) ? 60 : 4);
    size_t la = length_of(a), lb = length_of(b), limit = next(70);
    int c = next(8) ? 'a' + (int)next(4) : 0;
    check("strlen", strlen(a), la);
    check("strnlen", strnlen(a, limit), la < limit ? la : limit);
    check("strcmp", sign(strcmp(a, b)), compare(a, b, 1000));
    check("strncmp", sign(strncmp(a, b, limit)), compare(a, b, limit));
    check("strchr", offset(strchr(a, c), a), offset(find_byte(a, c, 0), a));
    check("strrchr", offset(strrchr(a, c), a), offset(find_byte(a, c, 1), a));
    check("strstr", offset(strstr(a, b), a), offset(find_text(a, b), a));
    check("strspn", strspn(a, b), span(a, b, 1));
    check("strcspn", strcspn(a, b), span(a, b, 0));
    const char *end = a + span(a, b, 0);
    check("strpbrk", offset(strpbrk(a, b), a), *end ? end - a : -1);
    check("memchr", offset(memchr(a, c, la), a), c && find_byte(a, c, 0) ? offset(find_byte(a, c, 0), a) : -1);
    check("memcmp", sign(memcmp(a, b, la < lb ? la : lb)), compare(a, b, la < lb ? la : lb));
    check("memmem", offset(memmem(a, la, b, lb), a), offset(find_text(a, b), a));
    check("strcasecmp", strcasecmp(a, a), 0);

    /* Copies: what was written, and nothing beside it. */
    char *to = copy + next(16);
    memset(copy, '#', sizeof copy);
    check("strcpy", strcpy(to, a) == to && compare(to, a, 1000) == 0 && to[la + 1] == '#' && (to == copy || to[-1] == '#'), 1);
    check("strcat", strcat(to, b) == to && length_of(to) == la + lb && compare(to + la, b, 1000) == 0, 1);
    memset(copy, '#', sizeof copy);
    strncpy(to, a, limit);
    int good = 1;
    for (size_t i = 0; i < limit; i++)
        good &= to[i] == (i < la ? a[i] : 0);
    check("strncpy", good && to[limit] == '#', 1);
    memset(copy, '#', sizeof copy);
    check("memset", to[0] == '#' && copy[511] == '#', 1);
    memcpy(to, a, la);
    check("memcpy", memcmp(to, a, la) == 0 && to[la] == '#', 1);

    /* Overlapping moves against a move through another place. */
    unsigned from = next(40), into = next(40), count = next(100);
    char expected[512];
    for (int i = 0; i < 512; i++)
        copy[i] = expected[i] = (char)next(256);
    for (unsigned i = 0; i < count; i++)
        expected[into + i] = copy[from + i];
    memmove(copy + into, copy + from, count);
    good = 1;
    for (int i = 0; i < 512; i++)
        good &= copy[i] == expected[i];
    check("memmove", good, 1);
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[2]) : 60;
    if (argc > 1)
        state = strtoul(argv[1], NULL, 0);
    for (int i = 0; i < rounds; i++)
        one_round();
    printf("%d rounds, %d failures\n", rounds, failures);
    return failures != 0;
}
