/* Thread-specific data: a table of keys, and in each thread an array of values, made at the first use. */
#include "thread.h"

#include <stdlib.h>

static struct key {
    int used;
    void (*destroy)(void *);
} keys[PTHREAD_KEYS_MAX];
static volatile int lock;

int pthread_key_create(pthread_key_t *key, void (*destroy)(void *))
{
    int result = EAGAIN;
    __lind_lock(&lock);
    for (unsigned i = 0; i < PTHREAD_KEYS_MAX; i++) {
        if (keys[i].used)
            continue;
        keys[i] = (struct key){1, destroy};
        *key = i;
        result = 0;
        break;
    }
    __lind_unlock(&lock);
    return result;
}

/* A new key of the same number has to begin as NULL in every thread: values carry the generation of their key. */
static unsigned generations[PTHREAD_KEYS_MAX];

int pthread_key_delete(pthread_key_t key)
{
    if (key >= PTHREAD_KEYS_MAX || !keys[key].used)
        return EINVAL;
    __lind_lock(&lock);
    generations[key]++;
    keys[key] = (struct key){0, 0};
    __lind_unlock(&lock);
    return 0;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    struct thread *self = __lind_self();
    if (key >= PTHREAD_KEYS_MAX || !keys[key].used)
        return EINVAL;
    if (!self->key_values) {
        if (!value)
            return 0;
        if (!(self->key_values = calloc(PTHREAD_KEYS_MAX, sizeof *self->key_values)))
            return ENOMEM;
    }
    self->key_values[key] = (struct key_value){value, generations[key]};
    return 0;
}

void *pthread_getspecific(pthread_key_t key)
{
    struct thread *self = __lind_self();
    if (!self->key_values || key >= PTHREAD_KEYS_MAX || self->key_values[key].generation != generations[key])
        return 0;
    return (void *)self->key_values[key].pointer;
}

void __lind_keys_destroy(struct thread *self)
{
    int again = self->key_values != 0;
    for (int round = 0; again && round < PTHREAD_DESTRUCTOR_ITERATIONS; round++) {
        again = 0;
        for (unsigned i = 0; i < PTHREAD_KEYS_MAX; i++) {
            void *value = pthread_getspecific(i);
            void (*destroy)(void *) = keys[i].destroy;
            if (!value)
                continue;
            self->key_values[i].pointer = 0;
            if (destroy) {
                destroy(value);
                again = 1;
            }
        }
    }
    free(self->key_values);
    self->key_values = 0;
}
