/* A pool of threads that work off a queue of jobs whose results are waited for. */
#include "../names.h"

#include <pthread.h>
#include <stdlib.h>

struct job {
    int n, done;
    long result;
    struct job *next;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER, finished = PTHREAD_COND_INITIALIZER;
static struct job *head, **tail = &head;
static int closing, by_worker[3];

static long collatz(int n)
{
    long steps = 0;
    for (long long x = n; x != 1; steps++)
        x = x % 2 ? 3 * x + 1 : x / 2;
    return steps;
}

static void *worker(void *argument)
{
    int *count = argument;
    pthread_mutex_lock(&mutex);
    for (;;) {
        while (!head && !closing)
            pthread_cond_wait(&work, &mutex);
        if (!head)
            break;
        struct job *job = head;
        head = job->next;
        if (!head)
            tail = &head;
        pthread_mutex_unlock(&mutex);
        long result = collatz(job->n);
        pthread_mutex_lock(&mutex);
        job->result = result;
        job->done = 1;
        ++*count;
        pthread_cond_broadcast(&finished);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static struct job *submit(int n)
{
    struct job *job = calloc(1, sizeof *job);
    job->n = n;
    pthread_mutex_lock(&mutex);
    *tail = job;
    tail = &job->next;
    pthread_cond_signal(&work);
    pthread_mutex_unlock(&mutex);
    return job;
}

static long result_of(struct job *job)
{
    pthread_mutex_lock(&mutex);
    while (!job->done)
        pthread_cond_wait(&finished, &mutex);
    pthread_mutex_unlock(&mutex);
    long result = job->result;
    free(job);
    return result;
}

int main(void)
{
    pthread_t threads[3];
    struct job *jobs[20];
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, worker, &by_worker[i]);
    for (int i = 0; i < 20; i++)
        jobs[i] = submit(i + 1);
    for (int i = 0; i < 20; i++)
        printf("%ld ", result_of(jobs[i]));
    printf("\nlater: %ld\n", result_of(submit(97)));
    pthread_mutex_lock(&mutex);
    closing = 1;
    pthread_cond_broadcast(&work);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    printf("jobs done %d\n", by_worker[0] + by_worker[1] + by_worker[2]);
    return 0;
}
