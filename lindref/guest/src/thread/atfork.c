/* What a program wants done around fork: before it in reverse order of registration, after it in order. */
#include "thread.h"

#include <stdlib.h>

static struct registered {
    void (*prepare)(void), (*parent)(void), (*child)(void);
    struct registered *next, *previous;
} *first, *last;
static volatile int lock;

int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    struct registered *it = malloc(sizeof *it);
    if (!it)
        return ENOMEM;
    __lind_lock(&lock);
    *it = (struct registered){prepare, parent, child, 0, last};
    *(last ? &last->next : &first) = it;
    last = it;
    __lind_unlock(&lock);
    return 0;
}

void __lind_fork_handlers(int when)
{
    if (when == FORK_BEFORE) {
        for (struct registered *it = last; it; it = it->previous)
            if (it->prepare)
                it->prepare();
        return;
    }
    for (struct registered *it = first; it; it = it->next) {
        void (*function)(void) = when == FORK_PARENT ? it->parent : it->child;
        if (function)
            function();
    }
}
