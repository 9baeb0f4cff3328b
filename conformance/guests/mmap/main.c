/* Mappings: anonymous and of files, private and shared, over fork; protections; what is refused. */
#include "../names.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

int main(void)
{
    char *a = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int zero = 1;
    for (int i = 0; i < 5 * PAGE; i += 64)
        zero &= a[i] == 0;
    printf("aligned %d, zero %d\n", (uintptr_t)a % PAGE == 0, zero);
    strcpy(a + PAGE - 3, "across the edge");
    printf("%s\n", a + PAGE - 3);
    show("mprotect", mprotect(a, PAGE, PROT_READ));
    printf("readable %c\n", a[PAGE - 3]);
    show("mprotect back", mprotect(a, PAGE, PROT_READ | PROT_WRITE));
    a[0] = 'w';
    show("munmap the middle", munmap(a + 2 * PAGE, PAGE));
    a[PAGE] = 'x';
    a[3 * PAGE] = 'y';
    printf("both sides live: %c%c\n", a[PAGE], a[3 * PAGE]);
    char *again = mmap(a + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    printf("fixed: %d, zero %d\n", again == a + 2 * PAGE, again[0] == 0);
    show("munmap all", munmap(a, 5 * PAGE));
    show("munmap nothing", munmap(a, 0));
    show("munmap unaligned", munmap(a + 1, PAGE));

    int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (int i = 0; i < 300; i++)
        dprintf(fd, "line %03d of the file, in all 32\n", i);
    char *shared = mmap(NULL, 300 * 32, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);
    char text[33] = "";
    printf("%.31s|%.31s\n", shared + 299 * 32, private);
    memcpy(shared + 32, "LINE", 4);
    memcpy(private, "PRIV", 4);
    pread(fd, text, 32, 32);
    printf("the file has the shared change: %.31s\n", text);
    pread(fd, text, 32, PAGE);
    printf("and not the private one: %.31s\n", text);
    pwrite(fd, "FILE", 4, 64);
    printf("written to the file: %.31s\n", shared + 64);
    close(fd);
    printf("mapped after close: %.31s\n", shared + 64);

    int *counter = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *counter = *own = 10;
    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            for (int j = 0; j < 100; j++)
                __atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
            *own += 100;
            shared[96] = 'C';
            _exit(*own == 110 ? 0 : 1);
        }
    }
    int status, bad = 0;
    while (wait(&status) > 0)
        bad += status != 0;
    printf("shared %d, own %d, bad %d, file %.4s\n", *counter, *own, bad, shared + 96);
    show("msync", msync(shared, 300 * 32, MS_SYNC));
    munmap(shared, 300 * 32);

    show("length 0", (intptr_t)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    show("bad descriptor", (intptr_t)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0));
    show("neither", (intptr_t)mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
    fd = open("mapped", O_RDONLY);
    show("bad offset", (intptr_t)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100));
    show("shared write of read-only", (intptr_t)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    char *copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    printf("private write of read-only: %s\n", copy == MAP_FAILED ? name_of(errno) : "given");
    void *before = sbrk(0), *old = sbrk(8192);
    memset(old, 1, 8192);
    printf("break moved: %d\n", old == before && sbrk(0) >= (void *)((char *)before + 8192));
    return 0;
}
