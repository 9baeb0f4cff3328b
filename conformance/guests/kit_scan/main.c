/* Text and numbers: does what standard input asks for, a line each.
 *   d TEXT            strtod: the value, what is left, and errno
 *   i BASE TEXT       strtol and strtoull likewise
 *   f FORMAT VALUE    printf of a double
 *   n FORMAT VALUE    printf of a long long (the format has ll)
 *   s FORMAT|TEXT     sscanf with up to three conversions of the same kind, which the first one says */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    char line[400];
    while (fgets(line, sizeof line, stdin)) {
        char *end, *rest = line + 2;
        line[strcspn(line, "\n")] = 0;
        errno = 0;
        if (line[0] == 'd') {
            double x = strtod(rest, &end);
            printf("%a %zu %d", x, strlen(end), errno);
        } else if (line[0] == 'i') {
            int base = strtol(rest, &rest, 10);
            long long n = strtoll(rest + 1, &end, base);
            printf("%lld %zu %d", n, strlen(end), errno);
            errno = 0;
            unsigned long long u = strtoull(rest + 1, &end, base);
            printf(" %llu %d", u, errno);
        } else if (line[0] == 'f') {
            char *value = strrchr(rest, ' ');
            *value = 0;
            int length = printf(rest, strtod(value + 1, NULL));
            printf(" %d", length);
        } else if (line[0] == 'n') {
            char *value = strrchr(rest, ' ');
            *value = 0;
            int length = printf(rest, strtoll(value + 1, NULL, 10));
            printf(" %d", length);
        } else if (line[0] == 's') {
            char *text = strchr(rest, '|');
            *text = 0;
            int a = -1, b = -1, c = -1;
            double x = -1, y = -1, z = -1;
            char s[64] = "-", t[64] = "-", u[64] = "-";
            const char *kind = strchr(rest, '%');
            kind += strcspn(kind, "dioxuefgsc[");
            if (strchr("dioxu", *kind)) {
                int got = sscanf(text + 1, rest, &a, &b, &c);
                printf("%d: %d %d %d", got, a, b, c);
            } else if (strchr("efg", *kind)) {
                int got = sscanf(text + 1, rest, &x, &y, &z);
                printf("%d: %a %a %a", got, x, y, z);
            } else {
                int got = sscanf(text + 1, rest, s, t, u);
                printf("%d: <%s> <%s> <%s>", got, s, t, u);
            }
        }
        printf("\n");
    }
    return 0;
}
