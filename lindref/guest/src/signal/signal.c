/* Signals. The system knows one mask and one table of handlers for a whole cage, and exchanges 64-bit masks. */
#include "../internal.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* What the system reads and writes: 24 bytes. */
struct wire_action {
    uint32_t handler;
    uint64_t mask;
    int32_t flags;
};
_Static_assert(sizeof(struct wire_action) == 24, "as the system reads it");

/* Which signals have a handler with three parameters: wasm checks the type of an indirect call. */
static uint64_t three_parameters;

__attribute__((export_name("signal_callback"))) void signal_callback(int handler, int number)
{
    if (three_parameters >> number & 1) {
        siginfo_t info = {.si_signo = number};
        ((void (*)(int, siginfo_t *, void *))handler)(number, &info, 0);
    } else {
        ((sighandler_t)handler)(number);
    }
}

static int bad_number(int number)
{
    if (number > 0 && number < NSIG)
        return 0;
    errno = EINVAL;
    return 1;
}

static uint64_t mask_of(const sigset_t *set)
{
    return set->__bits[0];
}

static void set_from(sigset_t *set, uint64_t mask)
{
    *set = (sigset_t){{mask, mask >> 32}};
}

int sigaction(int number, const struct sigaction *restrict action, struct sigaction *restrict old)
{
    if (bad_number(number))
        return -1;
    struct wire_action in, out;
    uint64_t bit = 1ULL << number;
    int had_three = (three_parameters & bit) != 0;
    if (action) {
        in = (struct wire_action){(uint32_t)(uintptr_t)action->sa_handler, mask_of(&action->sa_mask),
                                  action->sa_flags};
        if (action->sa_flags & SA_SIGINFO)
            three_parameters |= bit; /* before the handler can run */
    }
    if (CALL(LIND_CALL_RT_SIGACTION, INT(number), POINTER(action ? &in : 0), POINTER(old ? &out : 0)) < 0) {
        three_parameters = had_three ? three_parameters | bit : three_parameters & ~bit;
        return -1;
    }
    if (action && !(action->sa_flags & SA_SIGINFO))
        three_parameters &= ~bit;
    if (old) {
        *old = (struct sigaction){.sa_flags = out.flags};
        old->sa_handler = (sighandler_t)(uintptr_t)out.handler;
        set_from(&old->sa_mask, out.mask);
    }
    return 0;
}

sighandler_t signal(int number, sighandler_t handler)
{
    struct sigaction action = {.sa_flags = SA_RESTART}, old;
    action.sa_handler = handler;
    return sigaction(number, &action, &old) ? SIG_ERR : old.sa_handler;
}

sighandler_t bsd_signal(int number, sighandler_t handler)
{
    return signal(number, handler);
}

/* Calls are never restarted, so there is only one way to ask for. */
int siginterrupt(int number, int interrupt)
{
    struct sigaction action;
    if (sigaction(number, 0, &action))
        return -1;
    action.sa_flags = interrupt ? action.sa_flags & ~SA_RESTART : action.sa_flags | SA_RESTART;
    return sigaction(number, &action, 0);
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    uint64_t in = set ? mask_of(set) : 0, out = 0;
    int result = CALL(LIND_CALL_RT_SIGPROCMASK, INT(how), POINTER(set ? &in : 0), POINTER(old ? &out : 0));
    if (old && result == 0)
        set_from(old, out);
    return result;
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    int saved = errno;
    int result = sigprocmask(how, set, old) ? errno : 0;
    errno = saved;
    return result;
}

/* The call installs the mask and waits; putting the old one back is left to the library. */
int sigsuspend(const sigset_t *mask)
{
    uint64_t in = mask_of(mask), out = 0;
    RAW(LIND_CALL_RT_SIGSUSPEND, POINTER(&in), POINTER(&out));
    RAW(LIND_CALL_RT_SIGPROCMASK, INT(SIG_SETMASK), POINTER(&out), 0);
    errno = EINTR;
    return -1;
}

int pause(void)
{
    sigset_t mask;
    sigprocmask(SIG_BLOCK, 0, &mask);
    return sigsuspend(&mask);
}

int kill(pid_t pid, int number)
{
    return CALL(LIND_CALL_KILL, INT(pid), INT(number));
}

int killpg(pid_t group, int number)
{
    return kill(-group, number);
}

int raise(int number)
{
    return kill(getpid(), number);
}

/* Signals go to the cage; its main thread handles them. */
int pthread_kill(pthread_t thread, int number)
{
    (void)thread;
    int saved = errno, result = number ? (raise(number) ? errno : 0) : 0;
    errno = saved;
    return result;
}

int sigemptyset(sigset_t *set)
{
    *set = (sigset_t){{0}};
    return 0;
}

int sigfillset(sigset_t *set)
{
    set_from(set, ~0ULL >> 1);
    return 0;
}

/* Signal n is bit n - 1. */
int sigaddset(sigset_t *set, int number)
{
    if (bad_number(number))
        return -1;
    set->__bits[(number - 1) / 32] |= 1UL << (number - 1) % 32;
    return 0;
}

int sigdelset(sigset_t *set, int number)
{
    if (bad_number(number))
        return -1;
    set->__bits[(number - 1) / 32] &= ~(1UL << (number - 1) % 32);
    return 0;
}

int sigismember(const sigset_t *set, int number)
{
    if (bad_number(number))
        return -1;
    return set->__bits[(number - 1) / 32] >> (number - 1) % 32 & 1;
}

/* The system has no such calls. */

int sigpending(sigset_t *set)
{
    (void)set;
    errno = ENOSYS;
    return -1;
}

int sigaltstack(const stack_t *restrict stack, stack_t *restrict old)
{
    (void)stack, (void)old;
    errno = ENOSYS;
    return -1;
}
