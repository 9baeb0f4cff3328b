/* A grate with a thread of its own: handlers count under a lock and tell the thread, which reports in the end. */
#include "../own_entry.h"

#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static int writes, done;
static _Atomic long bytes;

static int write_grate(PARAMETERS)
{
    pthread_mutex_lock(&lock);
    writes++;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&lock);
    int written = make_threei_call(1, 0, cageid, arg1cage, arg1, arg1cage, arg2, arg2cage, REST);
    if (written > 0)
        atomic_fetch_add(&bytes, written);
    return written;
}

static void *report(void *name)
{
    int seen = 0;
    pthread_mutex_lock(&lock);
    while (!done || seen < writes) {
        while (!done && seen == writes)
            pthread_cond_wait(&more, &lock);
        seen = writes;
    }
    pthread_mutex_unlock(&lock);
    printf("%s: saw %d writes\n", (char *)name, seen);
    return (void *)(intptr_t)seen;
}

int main(int argc, char *argv[])
{
    pthread_t thread;
    void *seen;
    int status = 0, grateid = getpid();
    if (argc < 2)
        return 2;
    pthread_create(&thread, NULL, report, "reporter");
    if (fork() == 0) {
        register_handler(getpid(), 1, grateid, (uint64_t)(uintptr_t)&write_grate);
        execv(argv[1], &argv[1]);
        _exit(127);
    }
    while (wait(&status) > 0)
        ;
    pthread_mutex_lock(&lock);
    done = 1;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, &seen);
    printf("%d writes, %d seen, %ld bytes, status %d\n", writes, (int)(intptr_t)seen, (long)bytes, WEXITSTATUS(status));
    return WEXITSTATUS(status);
}
