/* Copies a file, ten bytes at a time. */
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
    char part[10];
    int in = open("/app.c", O_RDONLY), out = open("/tmp/copy", O_WRONLY | O_CREAT, 0600);
    long all = 0;
    for (int got; all < 95 && (got = read(in, part, sizeof part)) > 0;)
        all += write(out, part, got);
    close(in);
    close(out);
    close(out);
    return open("/none", O_RDONLY) < 0 ? all / 10 : -1;
}
