/* The devices that every root has. */
#include "../names.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>

int main(void)
{
    char text[64], other[64];
    struct stat status;
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR), full = open("/dev/full", O_RDWR);
    int random = open("/dev/urandom", O_RDONLY);
    printf("open %d %d %d %d\n", null >= 0, zero >= 0, full >= 0, random >= 0);
    show("null read", read(null, text, 10));
    show("null write", write(null, text, 10));
    memset(text, 'x', sizeof text);
    show("zero read", read_all(zero, text, 64));
    int zeros = 1;
    for (int i = 0; i < 64; i++)
        zeros &= text[i] == 0;
    printf("all zero %d\n", zeros);
    show("zero write", write(zero, text, 10));
    show("full read", read(full, text, 10));
    show("full write", write(full, text, 1));
    show("random read", read_all(random, text, 64));
    read_all(random, other, 64);
    printf("differ %d\n", memcmp(text, other, 64) != 0);
    show("getrandom", getrandom(text, 64, 0));
    getrandom(other, 64, 0);
    printf("differ %d\n", memcmp(text, other, 64) != 0);
    show("bad flags", getrandom(text, 1, 0x100));
    show("getentropy", getentropy(text, 64));
    show("too much", getentropy(text, 257));
    stat("/dev/null", &status);
    printf("character device %d, mode %o\n", S_ISCHR(status.st_mode), (unsigned)status.st_mode & 0777);
    show("create over it", open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600) >= 0);
    show("not a directory", open("/dev/null/x", O_RDONLY));
    FILE *file = fopen("/dev/full", "w");
    fputs("lost", file);
    show("flush", fflush(file));
    printf("error %d\n", ferror(file) != 0);
    return 0;
}
