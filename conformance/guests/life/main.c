/* The game of life on a small torus: a glider comes back to where it was. */
#include <stdio.h>
#include <string.h>

#define SIDE 10

static char board[SIDE][SIDE], next[SIDE][SIDE];

static int neighbours(int y, int x)
{
    int count = 0;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
            if (dy || dx)
                count += board[(y + dy + SIDE) % SIDE][(x + dx + SIDE) % SIDE];
    return count;
}

static void step(void)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int n = neighbours(y, x);
            next[y][x] = n == 3 || (n == 2 && board[y][x]);
        }
    memcpy(board, next, sizeof board);
}

static void show(void)
{
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++)
            putchar(board[y][x] ? '#' : '.');
        putchar('\n');
    }
    putchar('\n');
}

int main(void)
{
    static const char glider[5][2] = {{0, 1}, {1, 2}, {2, 0}, {2, 1}, {2, 2}};
    char before[SIDE][SIDE];
    for (int i = 0; i < 5; i++)
        board[(int)glider[i][0]][(int)glider[i][1]] = 1;
    memcpy(before, board, sizeof board);
    show();
    for (int i = 0; i < 4; i++)
        step();
    show();
    for (int i = 4; i < 4 * SIDE; i++)
        step();
    printf("back %d\n", !memcmp(before, board, sizeof board));
    return 0;
}
