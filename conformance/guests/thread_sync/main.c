/* Read-write locks, semaphores, barriers, spin locks; between threads and, where shared, between processes. */
#include "../names.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int left, right, torn, most_readers, readers;

static void *reader(void *argument)
{
    for (int i = 0; i < 20; i++) {
        pthread_rwlock_rdlock(&lock);
        int now = __atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
        if (now > most_readers)
            most_readers = now;
        if (left != right)
            torn++;
        __atomic_sub_fetch(&readers, 1, __ATOMIC_SEQ_CST);
        pthread_rwlock_unlock(&lock);
    }
    return argument;
}

static void *writer(void *argument)
{
    for (int i = 0; i < 20; i++) {
        pthread_rwlock_wrlock(&lock);
        if (readers)
            torn++;
        left++;
        sched_yield();
        right++;
        pthread_rwlock_unlock(&lock);
    }
    return argument;
}

static void *try_all(void *argument)
{
    printf("while written: read %s, write %s\n", name_of(pthread_rwlock_tryrdlock(&lock)),
           name_of(pthread_rwlock_trywrlock(&lock)));
    return argument;
}

static sem_t ping, pong;
static char rally[32];

static void *answer(void *argument)
{
    for (int i = 0; i < 5; i++) {
        sem_wait(&ping);
        strcat(rally, "<");
        sem_post(&pong);
    }
    return argument;
}

static pthread_barrier_t barrier;
static int phase_sum[3], serial;

static void *phases(void *argument)
{
    for (int phase = 0; phase < 3; phase++) {
        __atomic_fetch_add(&phase_sum[phase], (int)(intptr_t)argument, __ATOMIC_SEQ_CST);
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_fetch_add(&serial, 1, __ATOMIC_SEQ_CST);
        if (phase_sum[phase] != 6)
            abort();
    }
    return NULL;
}

static pthread_spinlock_t spin;
static int spun;

static void *spinner(void *argument)
{
    for (int i = 0; i < 30; i++) {
        pthread_spin_lock(&spin);
        spun++;
        pthread_spin_unlock(&spin);
    }
    return argument;
}

int main(void)
{
    pthread_t threads[5];
    for (int i = 0; i < 5; i++)
        pthread_create(&threads[i], NULL, i < 2 ? writer : reader, NULL);
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    printf("left %d, right %d, torn %d\n", left, right, torn);
    printf("two readers: %d %d\n", pthread_rwlock_rdlock(&lock), pthread_rwlock_tryrdlock(&lock));
    printf("then a writer: %s\n", name_of(pthread_rwlock_trywrlock(&lock)));
    pthread_rwlock_unlock(&lock);
    pthread_rwlock_unlock(&lock);
    pthread_rwlock_wrlock(&lock);
    pthread_create(&threads[0], NULL, try_all, NULL);
    pthread_join(threads[0], NULL);
    printf("deadlock: %s\n", name_of(pthread_rwlock_wrlock(&lock)));
    pthread_rwlock_unlock(&lock);

    sem_init(&ping, 0, 0);
    sem_init(&pong, 0, 0);
    pthread_create(&threads[0], NULL, answer, NULL);
    for (int i = 0; i < 5; i++) {
        strcat(rally, ">");
        sem_post(&ping);
        sem_wait(&pong);
    }
    pthread_join(threads[0], NULL);
    printf("%s\n", rally);
    int value;
    sem_init(&ping, 0, 2);
    sem_getvalue(&ping, &value);
    printf("value %d, take %d %d ", value, sem_trywait(&ping), sem_trywait(&ping));
    show("and", sem_trywait(&ping));
    struct timespec past = {1, 0};
    show("timed", sem_timedwait(&ping, &past));
    show("too much", sem_init(&ping, 0, 0x80000000u));

    pthread_barrier_init(&barrier, NULL, 3);
    for (intptr_t i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, phases, (void *)(i + 1));
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    printf("phases %d %d %d, serial %d\n", phase_sum[0], phase_sum[1], phase_sum[2], serial);
    printf("barrier of none: %s\n", name_of(pthread_barrier_init(&barrier, NULL, 0)));
    pthread_spin_init(&spin, 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, spinner, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    printf("spun %d\n", spun);

    struct {
        sem_t semaphore;
        pthread_mutex_t mutex;
        pthread_cond_t condition;
        int counter, ready;
    } *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t mutex_shared;
    pthread_condattr_t condition_shared;
    pthread_mutexattr_init(&mutex_shared);
    pthread_mutexattr_setpshared(&mutex_shared, PTHREAD_PROCESS_SHARED);
    pthread_condattr_init(&condition_shared);
    pthread_condattr_setpshared(&condition_shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->mutex, &mutex_shared);
    pthread_cond_init(&shared->condition, &condition_shared);
    sem_init(&shared->semaphore, 1, 0);
    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            sem_wait(&shared->semaphore);
            for (int j = 0; j < 10; j++) {
                pthread_mutex_lock(&shared->mutex);
                int seen = shared->counter;
                sched_yield();
                shared->counter = seen + 1;
                pthread_mutex_unlock(&shared->mutex);
            }
            pthread_mutex_lock(&shared->mutex);
            shared->ready++;
            pthread_cond_signal(&shared->condition);
            pthread_mutex_unlock(&shared->mutex);
            _exit(0);
        }
    }
    for (int i = 0; i < 3; i++)
        sem_post(&shared->semaphore);
    pthread_mutex_lock(&shared->mutex);
    while (shared->ready < 3)
        pthread_cond_wait(&shared->condition, &shared->mutex);
    pthread_mutex_unlock(&shared->mutex);
    while (wait(NULL) > 0)
        ;
    printf("between processes: %d\n", shared->counter);
    return 0;
}
