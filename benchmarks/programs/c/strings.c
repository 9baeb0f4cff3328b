/* Work for string.h and qsort: words are cut out of a text, sorted, counted and joined again. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int order(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

int main(int argc, char **argv)
{
    static const char text[] = "A cage is an isolated program; a grate is a cage that interposes on the calls of its "
                               "descendants, and 3i is the layer through which every call leaves a cage.";
    int rounds = argc > 1 ? 0 : 10;
    for (const char *digit = argc > 1 ? argv[1] : ""; *digit; digit++)
        rounds = rounds * 10 + (*digit - '0');
    unsigned sum = 0;
    for (int round = 0; round < rounds; round++) {
        char *copy = strdup(text), *words[64], joined[512] = "";
        int n = 0;
        for (char *c = copy; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        for (char *word = strtok(copy, " ,;."); word; word = strtok(0, " ,;."))
            words[n++] = word;
        qsort(words, (size_t)n, sizeof *words, order);
        for (int i = 0; i < n; i++) {
            if (i && !strcmp(words[i], words[i - 1]))
                continue;
            strcat(joined, words[i]);
            strcat(joined, "-");
        }
        for (const char *c = joined; (c = strchr(c, 'a')); c++)
            sum += (unsigned)(c - joined) * (unsigned)(round + 1);
        sum += (unsigned)strlen(joined) + (strstr(joined, "descendants") != 0);
        free(copy);
    }
    printf("sum %u\n", sum);
    return 0;
}
