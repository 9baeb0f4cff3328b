/* Writes three lines into a file, each again if it does not succeed; the number of failures is the exit status. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    static const char *const lines[] = {"one\n", "two\n", "three\n"};
    int fd = open("/tmp/lines", O_RDWR | O_CREAT, 0600), failures = 0;
    for (int i = 0; i < 3; i++)
        while (write(fd, lines[i], strlen(lines[i])) < 0)
            fprintf(stderr, "line %d: %s\n", i + 1, strerror(errno)), failures++;
    char text[32] = "";
    lseek(fd, 0, SEEK_SET);
    read(fd, text, sizeof text - 1);
    fputs(text, stdout);
    return failures;
}
