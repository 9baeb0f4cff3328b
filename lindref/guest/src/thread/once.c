/* Initialisation that happens once. The word: 0 not yet, 1 under way, 2 under way and someone waits, 3 done. */
#include "thread.h"

static void undo(void *once)
{
    int seen = __atomic_exchange_n((volatile int *)once, 0, __ATOMIC_SEQ_CST);
    if (seen == 2)
        __lind_futex_wake(once, INT_MAX, 0);
}

int pthread_once(pthread_once_t *once, void (*function)(void))
{
    volatile int *word = once;
    for (;;) {
        int seen = 0;
        if (__atomic_compare_exchange_n(word, &seen, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            break;
        if (seen == 3)
            return 0;
        if (seen == 1 && !__atomic_compare_exchange_n(word, &seen, 2, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            continue;
        __lind_futex_wait(word, 2, 0, 0);
    }
    pthread_cleanup_push(undo, once);
    function();
    pthread_cleanup_pop(0);
    if (__atomic_exchange_n(word, 3, __ATOMIC_SEQ_CST) == 2)
        __lind_futex_wake(word, INT_MAX, 0);
    return 0;
}
