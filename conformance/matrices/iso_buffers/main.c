/* ISO-003: buffers that are not there, that end outside, or whose size is negative. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *name(long result)
{
    static char text[32];
    if (result >= 0)
        snprintf(text, sizeof text, "%ld", result);
    else
        snprintf(text, sizeof text, "%s",
                 errno == EFAULT ? "EFAULT" : errno == EINVAL ? "EINVAL" : errno == ERANGE ? "ERANGE" : strerror(errno));
    return text;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int fd = open("tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(fd, "0123456789", 10);
    char *closed = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *fixed = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *edge = page + 4096 - 4;
    munmap(page + 4096, 4096);
    memset(edge, 'x', 4);
    void *places[] = {NULL, (void *)0xfffff000u, edge, closed, fixed, (void *)-1};
    const char *names[] = {"null", "end", "edge", "closed", "read-only", "minus one"};
    struct stat *st;
    for (int i = 0; i < 6; i++) {
        char *p = places[i];
        printf("%s: open %s", names[i], name(open(p, O_RDONLY)));
        printf(", read %s", name(pread(fd, p, 10, 0)));
        printf(", stat %s", name(fstat(fd, (st = (void *)p))));
        printf(", pipe %s\n", name(pipe((int *)p)));
    }
    struct iovec vector[2] = {{page, 4}, {page, 4}};
    printf("count: %s", name(readv(fd, vector, -1)));
    printf(", %s, offset: %s", name(readv(fd, vector, 2000)), name(pread(fd, page, 4, -1)));
    printf(", seek: %s\n", name(lseek(fd, -11, SEEK_CUR)));
    printf("file is %ld bytes\n", (long)lseek(fd, 0, SEEK_END));
    return 0;
}
