/* An interpreter for a tiny language: the program comes from standard input. */
#include <stdio.h>
#include <stdlib.h>

static char program[4096];
static int partner[4096];
static unsigned char cells[3000];

int main(void)
{
    int size = 0, c, stack[256], depth = 0;
    while ((c = getchar()) != EOF && c != '!' && size < 4095)
        program[size++] = (char)c;
    for (int i = 0; i < size; i++) {
        if (program[i] == '[') {
            if (depth == 256)
                return 2;
            stack[depth++] = i;
        } else if (program[i] == ']') {
            if (!depth) {
                fprintf(stderr, "unbalanced at %d\n", i);
                return 2;
            }
            partner[i] = stack[--depth];
            partner[partner[i]] = i;
        }
    }
    if (depth) {
        fprintf(stderr, "unbalanced at %d\n", stack[depth - 1]);
        return 2;
    }
    unsigned at = 0;
    long steps = 0;
    for (int i = 0; i < size; i++, steps++) {
        switch (program[i]) {
        case '>': at = (at + 1) % sizeof cells; break;
        case '<': at = (at + sizeof cells - 1) % sizeof cells; break;
        case '+': cells[at]++; break;
        case '-': cells[at]--; break;
        case '.': putchar(cells[at]); break;
        case ',': c = getchar(); cells[at] = c == EOF ? 0 : (unsigned char)c; break;
        case '[': if (!cells[at]) i = partner[i]; break;
        case ']': if (cells[at]) i = partner[i]; break;
        }
    }
    printf("\n%ld steps\n", steps);
    return 0;
}
