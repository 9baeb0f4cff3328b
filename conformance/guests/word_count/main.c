/* Counts words of standard input and lists them by how often and then by name. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
    char *text;
    int count;
};

static int by_count(const void *left, const void *right)
{
    const struct word *a = left, *b = right;
    return a->count != b->count ? b->count - a->count : strcmp(a->text, b->text);
}

int main(void)
{
    struct word *words = NULL;
    size_t count = 0, room = 0, lines = 0, all = 0, bytes = 0;
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&line, &size, stdin)) > 0) {
        lines += line[length - 1] == '\n';
        bytes += (size_t)length;
        for (char *at = line; *at; at++)
            *at = isalpha((unsigned char)*at) ? (char)tolower((unsigned char)*at) : ' ';
        for (char *text = strtok(line, " "); text; text = strtok(NULL, " ")) {
            size_t i = 0;
            all++;
            while (i < count && strcmp(words[i].text, text))
                i++;
            if (i == count) {
                if (count == room)
                    words = realloc(words, (room = room ? 2 * room : 4) * sizeof *words);
                words[count++] = (struct word){strdup(text), 0};
            }
            words[i].count++;
        }
    }
    free(line);
    qsort(words, count, sizeof *words, by_count);
    printf("%zu lines, %zu words, %zu bytes, %zu different\n", lines, all, bytes, count);
    for (size_t i = 0; i < count && i < 8; i++)
        printf("%4d %s\n", words[i].count, words[i].text);
    for (size_t i = 0; i < count; i++)
        free(words[i].text);
    free(words);
    return 0;
}
