/* Cages that do nothing: idle CAGES forks so many children, and all wait on a pipe that nobody writes to. */
#include <unistd.h>

int main(int argc, char **argv)
{
    int cages = 0, ends[2];
    char c;
    for (const char *digit = argc > 1 ? argv[1] : "1"; *digit; digit++)
        cages = cages * 10 + (*digit - '0');
    if (pipe(ends))
        return 1;
    for (int i = 0; i < cages; i++)
        if (!fork())
            break;
    return read(ends[0], &c, 1) == 1;
}
