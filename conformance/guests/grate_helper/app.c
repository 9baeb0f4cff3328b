/* Reads a file in pieces of sixteen. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char piece[16];
    int fd = open("/data.txt", O_RDONLY), count;
    while ((count = read(fd, piece, sizeof piece)) > 0)
        printf("%s: [%.*s]\n", argc > 1 ? argv[1] : "?", count, piece);
    return 0;
}
