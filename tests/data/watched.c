/* A word that two cages share, and one that a thread and a call write: what data breakpoints are tried on.
 * Built by lindref cc -O0 watched.c -o watched.wasm. The program tells where they are: its output is two addresses. */
#include <sys/mman.h>
#include <unistd.h>
#include <sys/wait.h>
#include <pthread.h>
#include <stdio.h>
int *shared;
int plain;
static void *work(void *x) { for (int i = 0; i < 3; i++) plain += 1; return x; }
int main(void)
{
    shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    printf("%p %p\n", (void *)&shared[1], (void *)&plain);
    fflush(stdout);
    shared[1] = 5;
    if (fork() == 0) {
        shared[1] = 6;
        _exit(0);
    }
    wait(0);
    shared[1]++;
    pthread_t t;
    pthread_create(&t, 0, work, 0);
    pthread_join(t, 0);
    read(0, &plain, 4);
    return shared[1];
}
