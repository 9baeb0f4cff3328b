/* Work for printf: all kinds of conversions into a buffer, and some of it to standard output. */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? 0 : 100;
    for (const char *digit = argc > 1 ? argv[1] : ""; *digit; digit++)
        rounds = rounds * 10 + (*digit - '0');
    unsigned sum = 0;
    char line[160];
    for (int i = 0; i < rounds; i++) {
        int n = snprintf(line, sizeof line, "%5d|%-8s|%08x|%+ld|%c|%6.3f|%s|%llu", i, "left", i * 2654435761u, -7L * i,
                         'a' + i % 26, i / 7.0, i % 3 ? "three" : "", (unsigned long long)i * 1000000007ull);
        for (int k = 0; k < n; k++)
            sum = sum * 31 + (unsigned char)line[k];
        if (i % 50 == 0)
            printf("%s\n", line);
    }
    printf("sum %08x\n", sum);
    return 0;
}
