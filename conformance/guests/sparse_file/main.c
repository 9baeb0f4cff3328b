/* Files with holes, big offsets, growing and shrinking under open descriptors. */
#include "../names.h"

#include <fcntl.h>
#include <sys/stat.h>

static int zeros(const char *text, long from, long to)
{
    for (long i = from; i < to; i++)
        if (text[i])
            return 0;
    return 1;
}

int main(void)
{
    static char text[70000];
    struct stat status;
    int fd = open("sparse", O_RDWR | O_CREAT | O_TRUNC, 0600);
    show("far out", pwrite(fd, "end", 3, 60000));
    fstat(fd, &status);
    printf("size %ld\n", (long)status.st_size);
    show("read all", read_all(fd, text, sizeof text));
    printf("zero before %d, then %.3s\n", zeros(text, 0, 60000), text + 60000);
    show("in the hole", pwrite(fd, "middle", 6, 30000));
    show("read", pread(fd, text, 20, 29990));
    printf("%d %.6s %d\n", zeros(text, 0, 10), text + 10, zeros(text, 16, 20));
    show("shrink", ftruncate(fd, 30003));
    show("grow", ftruncate(fd, 40000));
    show("what was cut is gone", pread(fd, text, 10, 29998));
    printf("%d %.3s %d\n", zeros(text, 0, 2), text + 2, zeros(text, 5, 10));
    int other = open("sparse", O_WRONLY | O_APPEND);
    show("position", lseek(fd, 100, SEEK_SET));
    show("append", write(other, "tail", 4));
    show("pread sees it", pread(fd, text, 10, 40000));
    show("position kept", lseek(fd, 0, SEEK_CUR));
    show("past the end", pread(fd, text, 10, 50000));
    show("truncate by another", ftruncate(other, 50));
    show("read beyond", read(fd, text, 10));
    show("write there", write(fd, "x", 1));
    fstat(fd, &status);
    printf("size %ld\n", (long)status.st_size);
    show("pread of nothing", pread(fd, text, 0, 0));
    show("negative offset", pread(fd, text, 1, -1));
    show("negative offset", pwrite(fd, text, 1, -1));
    show("big", lseek(fd, 2000000000, SEEK_SET));
    show("read there", read(fd, text, 1));
    show("end", lseek(fd, 0, SEEK_END));
    int pair[2];
    pipe(pair);
    show("pread of a pipe", pread(pair[0], text, 1, 0));
    show("truncate a pipe", ftruncate(pair[1], 0));
    show("truncate a directory", truncate(".", 0));
    show("truncate nothing", truncate("missing", 0));
    return 0;
}
