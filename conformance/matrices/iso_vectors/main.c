/* ISO-003: buffers within buffers that are bad: vectors, addresses, messages, names without an end, odd addresses. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static const char *name(long result)
{
    static char text[4][32];
    static int next;
    char *out = text[next++ % 4];
    if (result >= 0)
        snprintf(out, 32, "%ld", result);
    else
        snprintf(out, 32, "%s", errno == EFAULT ? "EFAULT" : errno == EINVAL ? "EINVAL"
                              : errno == ENAMETOOLONG ? "ENAMETOOLONG" : strerror(errno));
    return out;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int fd = open("tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0600), fds[2], pair[2];
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    char *last = page + 4096, *none = last;
    pipe(fds);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    memset(page, 'n', 4096);
    printf("name without an end: %s, mkdir %s\n", name(open(last - 8, O_RDONLY)), name(mkdir(last - 8, 0700)));
    strcpy(last - 6, "tmp/f");
    printf("name at the end: %s\n", name(access(last - 6, F_OK)));
    struct iovec bad[1] = {{none, 3}};
    printf("written from: %s\n", name(write(fd, none, 3)));
    printf("buffer of a vector bad: %s\n", name(pwritev(fd, bad, 1, 0)));
    long wrote = pwrite(fd, page + 1, 5, 0);
    printf("odd addresses: %s, %s\n", name(wrote), name(pread(fd, page + 4091, 5, 0)));
    printf("file %ld bytes\n", (long)lseek(fd, 0, SEEK_END));
    printf("address bad: bind %s, connect %s\n", name(bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)none, 16)),
           name(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)none, 16)));
    printf("sent from nowhere: %s, received into: %s\n", name(send(pair[0], none, 4, 0)),
           name((send(pair[0], "abcd", 4, 0), recv(pair[1], none, 4, 0))));
    char kept[8] = "";
    printf("still there: %s %s\n", name(recv(pair[1], kept, 4, MSG_DONTWAIT)), kept);
    printf("names: getcwd %s, link %s\n", getcwd(none, 64) ? "there" : name(-1), name(readlink("/dev/fd", none, 8)));
    char untouched[4] = "abc";
    printf("pipe still empty: %d, local still %s\n", (int)lseek(fds[0], 0, SEEK_CUR) < 0 && errno == ESPIPE, untouched);
    return 0;
}
