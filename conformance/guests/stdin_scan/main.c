/* Reading a small file of records from standard input with scanf, character by character and by line. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    int count, c, lines = 0, longest = 0, length = 0;
    char name[16], rest[64];
    double price, total = 0;
    if (scanf("%d", &count) != 1)
        return 1;
    for (int i = 0; i < count; i++) {
        int amount;
        int got = scanf("%15[a-z ] : %d x %lf", name, &amount, &price);
        if (got == 0 && (c = getchar()) == '\n' && i-- >= 0)
            continue;
        if (got != 3) {
            printf("record %d: %d fields\n", i, got);
            return 2;
        }
        while (name[0] && isspace((unsigned char)name[strlen(name) - 1]))
            name[strlen(name) - 1] = 0;
        printf("%-10s|%3d|%8.2f\n", name, amount, amount * price);
        total += amount * price;
    }
    printf("total %.2f\n", total);
    scanf(" %63[^\n]", rest);
    printf("[%s]\n", rest);
    while ((c = getchar()) != EOF) {
        if (c == '\n') {
            lines++;
            longest = length > longest ? length : longest;
            length = 0;
        } else {
            length++;
        }
    }
    printf("%d more lines, longest %d, left over %d, end %d\n", lines, longest, length, feof(stdin) != 0);
    return 0;
}
