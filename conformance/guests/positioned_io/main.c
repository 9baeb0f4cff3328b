/* Reads and writes in parts and at positions. */
#include "../names.h"

#include <fcntl.h>
#include <sys/uio.h>

int main(void)
{
    char a[5] = "", b[5] = "", c[20] = "";
    int fd = open("parts", O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct iovec out[4] = {{"one ", 4}, {"", 0}, {"two ", 4}, {"three", 5}};
    struct iovec in[3] = {{a, 4}, {b, 4}, {c, 19}};
    show("writev", writev(fd, out, 4));
    lseek(fd, 0, SEEK_SET);
    show("readv", readv(fd, in, 3));
    printf("[%s][%s][%s]\n", a, b, c);
    show("at the end", readv(fd, in, 3));
    show("pwritev", pwritev(fd, out, 1, 20));
    memset(c, '.', 19);
    show("preadv", preadv(fd, in, 3, 9));
    printf("[%s][%.1s][%.15s]\n", a, b, c);
    show("position", lseek(fd, 0, SEEK_CUR));
    show("no parts", writev(fd, out, 0));
    show("too many", writev(fd, out, 100000));
    show("negative", readv(fd, in, -1));
    show("bad offset", preadv(fd, in, 1, -1));
    show("closed", writev(99, out, 1));
    int reader = open("parts", O_RDONLY);
    show("not for writing", writev(reader, out, 1));
    struct iovec many[20];
    char letters[20];
    for (int i = 0; i < 20; i++) {
        letters[i] = 'a' + i;
        many[i] = (struct iovec){letters + 19 - i, 1};
    }
    int pair[2];
    pipe(pair);
    show("to a pipe", writev(pair[1], many, 20));
    show("from it", read_all(pair[0], c, 10));
    printf("%.10s\n", c);
    show("into parts", readv(pair[0], in, 2) > 0);
    printf("%c\n", a[0]);
    return 0;
}
