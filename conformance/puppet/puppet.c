/* The puppet: a guest that carries out a script of calls and tells what it sees. It knows no vector: the player gives
 * every image of a run the script that it is to carry out, as words (lindref/conformance/vectors/bytecode.py).
 *
 * Everything that a script says happens through the gate, as in any guest. Two calls go to the player alone, with a
 * self that is no cage: FETCH asks for the script, TELL hands over an observation.
 *
 * The program uses no library: it takes no memory and makes no call that its script does not ask for. */
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("lind"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))
#define LENGTH(array) (sizeof(array) / sizeof *(array))

IMPORT("make-syscall")
int gate(uint32_t number, uint64_t name, uint64_t self, uint64_t target, uint64_t a1, uint64_t c1, uint64_t a2,
         uint64_t c2, uint64_t a3, uint64_t c3, uint64_t a4, uint64_t c4, uint64_t a5, uint64_t c5, uint64_t a6,
         uint64_t c6);
IMPORT("lind-get-memory-base") uint64_t memory_base(void);
IMPORT("lind-get-cage-id") uint64_t cage_id(void);
IMPORT("args_sizes_get") int args_sizes(uint32_t *count, uint32_t *bytes);
IMPORT("args_get") int args(uint32_t *pointers, char *text);
IMPORT("environ_sizes_get") int environ_sizes(uint32_t *count, uint32_t *bytes);
IMPORT("environ_get") int environment(uint32_t *pointers, char *text);

enum { RECORDER = 1000001, FETCH = 1000002, TELL = 1000003 };
enum { MMAP = 9, SIGACTION = 13, SIGPROCMASK = 14, CLOCK_NANOSLEEP = 35, CLONE = 56, EXIT = 60, FUTEX = 202 };
enum { EXIT_GROUP = 231, CLONE_VM = 0x100, SIGCHLD = 17, SIGSETXID = 33, MONOTONIC = 1 };
enum { FUTEX_WAIT_BITSET_REALTIME = 9 | 256, FUTEX_WAKE = 1, READ_WRITE = 3, PRIVATE_ANONYMOUS = 0x22 };
#define UNUSED 0xDEADBEEFDEADBEEFULL
#define MEMORY_FLAG (1ULL << 63)

/* What a script is made of; bytecode.py has the same numbers. */
enum operation {
    END, CALL, CALL3I, SET, PUT, POKE, PEEK, FILL, FORK, LEAVE, THREAD, JOIN, ACTION, SIGLOG, UNTIL_SIGNALS, UNTIL,
    SLEEP, DUMP, ARGV, EVALUATE, ADD, IF_EQUAL, IF_MEMORY, RETURN, HARGS
};
enum kind {
    NUMBER, SELF, OWN, LITERAL, LITERAL_ADDRESS, BUFFER, BUFFER_ADDRESS, AT, AT_ADDRESS, GUEST, RESULT, LOAD_I32,
    LOAD_U32, LOAD_U64, HANDLED_VALUE, HANDLED_CAGE
};
enum { FLAGGED = 0x80 };
enum role { MAIN, HANDLER, IN_THREAD };

enum { HANDLERS_FROM = 16, PATIENCE = 5000, MOST_TOLD = 48, MOST_SIGNALS = 1000 };

/* The script: where the main list begins, how many results there are, the lists of handlers and signal handlers. */
static uint32_t script[1 << 14];
enum { MAIN_LIST, RESULTS, HANDLERS, SIGNAL_HANDLERS, TABLE };

static int fetched;
static uint64_t base, me;
static uint8_t buffers[15 * 8192 + 262144] __attribute__((aligned(4096)));
static int64_t results[3000];
static int32_t signals[MOST_SIGNALS];
static uint32_t signal_count;
/* A thread's mapping: its stack, behind that the arguments of clone and the word that is its id, not 0 while it is there.
 * Mappings of threads that have been joined are used again. */
enum { MAPPING = 131072, THREAD_BLOCK = MAPPING - 0x600, ID_WORD = MAPPING - 0x500 };
static uint32_t had_threads, free_count, free_mappings[64], mappings[64];
static uint32_t word_pointers[4096];
static char word_text[1 << 17];

/* Who carries out steps: the main program, a handler (with results of its own and the call that it serves), a thread. */
struct machine {
    int64_t *results;
    uint64_t own;
    const uint64_t *pairs;
    uint32_t role, slot, in_signal;
    int64_t returned;
};
enum { ON, RETURNED, OVER };

static int call(uint32_t number, uint64_t self, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                uint64_t a6)
{
    return gate(number, 0, self, me, a1, me, a2, me, a3, me, a4, me, a5, me, a6, me);
}

static uint64_t pointer(const void *address)
{
    return base + (uintptr_t)address;
}

static void learn(void)
{
    base = memory_base();
    me = cage_id();
    if (!fetched) {
        fetched = 1;
        call(FETCH, RECORDER, pointer(script), sizeof script, 0, 0, 0, 0);
    }
}

static uint64_t load(const uint8_t *at, unsigned width)
{
    switch (width) {
    case 1: return *(volatile const uint8_t *)at;
    case 2: return *(volatile const uint16_t *)at;
    case 4: return *(volatile const uint32_t *)at;
    default: return *(volatile const uint64_t *)at;
    }
}

static void store(uint8_t *at, unsigned width, uint64_t value)
{
    switch (width) {
    case 1: *(volatile uint8_t *)at = value; break;
    case 2: *(volatile uint16_t *)at = value; break;
    case 4: *(volatile uint32_t *)at = value; break;
    default: *(volatile uint64_t *)at = value;
    }
}

/* A value is three words: what it is, and 64 bits or two times 32. */
static uint64_t value(const struct machine *m, const uint32_t **at)
{
    const uint32_t *word = *at;
    *at = word + 3;
    int32_t offset = word[2];
    uint64_t found;
    switch (word[0] & ~FLAGGED) {
    default: found = word[1] | (uint64_t)word[2] << 32; break;
    case SELF: found = me; break;
    case OWN: found = m->own; break;
    case LITERAL: found = base + (uintptr_t)script + word[1]; break;
    case LITERAL_ADDRESS: found = (uintptr_t)script + word[1]; break;
    case BUFFER: found = base + (uint32_t)((uintptr_t)buffers + word[1]); break;
    case BUFFER_ADDRESS: found = (uint32_t)((uintptr_t)buffers + word[1]); break;
    case AT: found = base + (uint32_t)(m->results[word[1]] + offset); break;
    case AT_ADDRESS: found = (uint32_t)(m->results[word[1]] + offset); break;
    case GUEST: found = base + word[1]; break;
    case RESULT: found = m->results[word[1]] + offset; break;
    case LOAD_I32: found = (int64_t)(int32_t)load(buffers + word[1], 4); break;
    case LOAD_U32: found = load(buffers + word[1], 4); break;
    case LOAD_U64: found = load(buffers + word[1], 8); break;
    case HANDLED_VALUE: found = m->pairs ? m->pairs[2 * word[1] - 2] : 0; break;
    case HANDLED_CAGE: found = m->pairs ? m->pairs[2 * word[1] - 1] : 0; break;
    }
    return word[0] & FLAGGED ? found | MEMORY_FLAG : found;
}

static uint8_t *place(const struct machine *m, const uint32_t **at)
{
    return (uint8_t *)(uintptr_t)(uint32_t)value(m, at);
}

/* Tell the player: who, which step, its result and how often it was tried, then what the script wants to be told. */
static void tell(const struct machine *m, uint32_t step, int64_t result, uint64_t count, const uint64_t *more,
                 uint32_t length)
{
    uint64_t told[6 + MOST_TOLD] = {m->role, m->slot, m->in_signal, step, result, count};
    for (uint32_t i = 0; i < length; i++)
        told[6 + i] = more[i];
    call(TELL, RECORDER, pointer(told), 6 + length, 0, 0, 0, 0);
}

/* A step has a result: keep it and tell it, with the values that the script lists. */
static void done(struct machine *m, uint32_t step, int64_t result, uint64_t count, const uint32_t *at)
{
    uint64_t more[MOST_TOLD];
    m->results[step] = result;
    uint32_t length = *at++;
    for (uint32_t i = 0; i < length; i++)
        more[i] = value(m, &at);
    tell(m, step, result, count, more, length);
}

static void nap(uint64_t milliseconds)
{
    int64_t time[2] = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    call(CLOCK_NANOSLEEP, RECORDER, MONOTONIC, 0, pointer(time), 0, 0, 0);
}

static int same(const uint8_t *one, const uint8_t *other, uint32_t length)
{
    for (; length; length--)
        if (*one++ != *other++)
            return 0;
    return 1;
}

static void note_signal(int32_t number)
{
    if (signal_count < MOST_SIGNALS)
        signals[signal_count++] = number;
}

/* Arguments of a call as the C library sends them: a flagged value of one's own becomes a pointer. */
static int call_3i(const struct machine *m, const uint32_t **at, uint32_t number)
{
    uint64_t self = value(m, at), target = value(m, at), a[6], c[6];
    for (int i = 0; i < 6; i++) {
        a[i] = value(m, at);
        c[i] = value(m, at);
        if (c[i] & MEMORY_FLAG && (c[i] & ~MEMORY_FLAG) == me)
            a[i] += base;
        c[i] &= ~MEMORY_FLAG;
    }
    return gate(number, 0, self, target, a[0], c[0], a[1], c[1], a[2], c[2], a[3], c[3], a[4], c[4], a[5], c[5]);
}

static int call_own(const struct machine *m, const uint32_t **at, uint32_t number)
{
    uint64_t a[6];
    for (int i = 0; i < 6; i++)
        a[i] = value(m, at);
    return call(number, me, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* A call, perhaps many times; whoever comes out of a fork is somebody else. */
static void calls(struct machine *m, uint32_t operation, uint32_t step, const uint32_t *at)
{
    uint32_t number = at[0], most = at[1], stops = at[2], count = 0;
    const uint32_t *after;
    int result;
    do {
        after = at + 3;
        result = operation == CALL ? call_own(m, &after, number) : call_3i(m, &after, number);
        if (number == CLONE && result == 0)
            learn();
        count++;
    } while (count < most && !(stops && result < 0));
    done(m, step, result, count, after);
}

static int run(struct machine *m, const uint32_t *at);

/* The last call of a program. If it comes back there is nothing left to do. */
static int leave(uint32_t number, uint64_t code)
{
    call(number, me, code, UNUSED, UNUSED, UNUSED, UNUSED, UNUSED);
    return OVER;
}

static int fork_(struct machine *m, uint32_t step, const uint32_t *at)
{
    uint64_t clone[11] = {[4] = SIGCHLD};
    uint32_t number = *at++, list = *at++;
    uint64_t code = value(m, &at);
    int result = call(CLONE, me, pointer(clone), UNUSED, UNUSED, UNUSED, UNUSED, UNUSED);
    if (result) {
        done(m, step, result, 1, at);
        return ON;
    }
    learn();
    m->role = MAIN;
    m->in_signal = 0;
    m->results[step] = 0;
    int how = run(m, script + list);
    return how == ON ? leave(number, code) : how;
}

static volatile int32_t *id_word(uint32_t slot)
{
    return (volatile int32_t *)(uintptr_t)(mappings[slot] + ID_WORD);
}

/* A new thread's first function: its frames are its own, those of its maker are not. The calls are those that the C
 * library of the recordings makes: a look at the mask first, a wake at the end for whoever joins. */
__attribute__((noinline)) static int begin_thread(uint32_t slot, uint32_t list)
{
    struct machine m = {.results = results, .own = me, .role = IN_THREAD, .slot = slot};
    uint64_t mask = 0;
    call(SIGPROCMASK, me, 0, 0, pointer(&mask), UNUSED, UNUSED, UNUSED);
    if (run(&m, script + list) == ON) {
        *id_word(slot) = 0;
        call(FUTEX, me, pointer((const void *)id_word(slot)), FUTEX_WAKE, 1, 0, 0, 0);
        leave(EXIT, 0);
    }
    return OVER;
}

__attribute__((noinline)) static int find_mapping(uint32_t slot)
{
    if (!had_threads) {
        uint64_t action[3] = {SIGSETXID};
        had_threads = 1;
        call(SIGACTION, me, SIGSETXID, pointer(action), 0, UNUSED, UNUSED, UNUSED);
    }
    if (free_count) {
        mappings[slot] = free_mappings[--free_count];
        return 0;
    }
    int result = call(MMAP, me, 0, MAPPING, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
    if (result < 0 && result > -4096)
        return result;
    mappings[slot] = result;
    return 0;
}

/* It must have no frame of its own: the new thread returns from here on a stack that it shares with nobody. */
__attribute__((noinline)) static int make_thread(uint32_t slot)
{
    int result = find_mapping(slot);
    if (result)
        return result;
    uint32_t block = mappings[slot] + THREAD_BLOCK;
    uint64_t *clone = (uint64_t *)(uintptr_t)block;
    *id_word(slot) = INT32_MAX;
    clone[0] = CLONE_VM;
    clone[2] = pointer((const void *)id_word(slot));
    clone[5] = block;
    clone[6] = THREAD_BLOCK;
    return call(CLONE, me, pointer(clone), UNUSED, UNUSED, UNUSED, UNUSED, UNUSED);
}

static void join(struct machine *m, uint32_t step, const uint32_t *at)
{
    uint32_t slot = at[0];
    if (mappings[slot]) {
        volatile int32_t *id = id_word(slot);
        while (*id)
            call(FUTEX, me, pointer((const void *)id), FUTEX_WAIT_BITSET_REALTIME, *id, 0, 0, UINT32_MAX);
        free_mappings[free_count++] = mappings[slot];
        mappings[slot] = 0;
    }
    done(m, step, 0, 1, at + 1);
}

static void action(struct machine *m, uint32_t step, const uint32_t *at)
{
    uint64_t number = value(m, &at), handler = value(m, &at), mask = value(m, &at), flags = value(m, &at);
    struct {
        uint64_t handler, mask;
        int64_t flags;
    } action = {(uint32_t)handler, mask, (uint32_t)flags};
    int result = call(SIGACTION, me, number, pointer(&action), 0, UNUSED, UNUSED, UNUSED);
    done(m, step, result, 1, at);
}

/* Wait for signals, or for a word of memory. */
static void until(struct machine *m, uint32_t operation, uint32_t step, const uint32_t *at)
{
    uint32_t tries = 0, reached;
    const uint32_t *after;
    for (;; tries++) {
        after = at;
        if (operation == UNTIL_SIGNALS) {
            reached = *(volatile uint32_t *)&signal_count >= *after++;
        } else {
            uint64_t found = load(place(m, &after), 8);
            reached = found == value(m, &after);
        }
        if (reached || tries > PATIENCE)
            break;
        nap(1);
    }
    done(m, step, reached, 1, after);
}

static void words(const struct machine *m, uint32_t step)
{
    uint32_t count = 0, bytes = 0, more = 0;
    args_sizes(&count, &bytes);
    environ_sizes(&more, &bytes);
    if (count + more > LENGTH(word_pointers))
        __builtin_trap();
    args(word_pointers, word_text);
    uint32_t used = 0;
    args_sizes(&count, &used);
    environment(word_pointers + count, word_text + used);
    uint64_t told[] = {count, more, pointer(word_pointers)};
    tell(m, step, 0, 1, told, LENGTH(told));
}

static void add(struct machine *m, uint32_t step, const uint32_t *at)
{
    uint64_t *word = (uint64_t *)place(m, &at);
    uint64_t much = value(m, &at);
    if ((uintptr_t)word % 8)
        m->results[step] = *word += much;
    else
        m->results[step] = __atomic_add_fetch(word, much, __ATOMIC_SEQ_CST);
}

/* Bytes in the script: how many, then words that hold them. */
static const uint8_t *bytes(const uint32_t **at, uint32_t *length)
{
    const uint8_t *found = (const uint8_t *)(*at + 1);
    *length = **at;
    *at += 1 + (*length + 3) / 4;
    return found;
}

static void set(const struct machine *m, const uint32_t *at)
{
    uint32_t length;
    uint8_t *to = place(m, &at);
    const uint8_t *from = bytes(&at, &length);
    __builtin_memcpy(to, from, length);
}

static const uint32_t *choice(const struct machine *m, uint32_t operation, const uint32_t *at)
{
    uint32_t length, holds;
    if (operation == IF_EQUAL) {
        uint64_t one = value(m, &at);
        holds = one == value(m, &at);
    } else {
        uint8_t *memory = place(m, &at);
        const uint8_t *wanted = bytes(&at, &length);
        holds = same(memory, wanted, length);
    }
    return script + at[!holds];
}

/* Carry out a list of steps: operation, number of the step, where the next one is, and what it needs. */
static int run(struct machine *m, const uint32_t *at)
{
    for (;; at = script + at[2]) {
        uint32_t operation = at[0], step = at[1], width;
        const uint32_t *with = at + 3;
        uint8_t *to;
        int how = ON;
        switch (operation) {
        case END:
            return ON;
        case CALL:
        case CALL3I:
            calls(m, operation, step, with);
            break;
        case SET:
            set(m, with);
            break;
        case PUT:
        case POKE:
            width = *with++;
            to = place(m, &with);
            store(to, width, value(m, &with));
            if (operation == POKE)
                done(m, step, 0, 1, with);
            break;
        case PEEK:
            width = *with++;
            to = place(m, &with);
            done(m, step, load(to, width), 1, with);
            break;
        case FILL:
            to = place(m, &with);
            __builtin_memset(to, with[1], with[0]);
            break;
        case FORK:
            how = fork_(m, step, with);
            break;
        case LEAVE:
            width = *with++;
            leave(width, value(m, &with));
            break;
        case THREAD:
            how = make_thread(with[0]);
            if (how == 0)
                return begin_thread(with[0], with[1]);
            done(m, step, how < 0 ? -how : 0, 1, with + 2);
            how = ON;
            break;
        case JOIN:
            join(m, step, with);
            break;
        case ACTION:
            action(m, step, with);
            break;
        case SIGLOG:
            tell(m, step, 0, 1, (uint64_t[]){pointer(signals), signal_count}, 2);
            if (*with)
                signal_count = 0;
            break;
        case UNTIL_SIGNALS:
        case UNTIL:
            until(m, operation, step, with);
            break;
        case SLEEP:
            nap(*with);
            break;
        case DUMP:
            done(m, step, 0, 1, with);
            break;
        case ARGV:
            words(m, step);
            break;
        case EVALUATE: {
            uint64_t found = value(m, &with);
            done(m, step, found, 1, with);
            break;
        }
        case ADD:
            add(m, step, with);
            break;
        case IF_EQUAL:
        case IF_MEMORY:
            how = run(m, choice(m, operation, with));
            break;
        case RETURN:
            m->returned = value(m, &with);
            return RETURNED;
        case HARGS:
            tell(m, step, m->own, 1, m->pairs, 12);
            break;
        default:
            __builtin_trap();
        }
        if (how != ON)
            return how;
    }
}

/* The list of a slot, 0 where there is none. */
static uint32_t listed(uint32_t table, uint32_t count, uint64_t slot)
{
    for (const uint32_t *at = script + table; count; count--, at += 2)
        if (at[0] == slot)
            return at[1];
    return 0;
}

EXPORT("signal_callback") void signal_callback(uint32_t handler, int32_t number)
{
    struct machine m = {.results = results, .own = me, .in_signal = 1};
    uint32_t list = listed(TABLE + 2 * script[HANDLERS], script[SIGNAL_HANDLERS], handler - HANDLERS_FROM);
    note_signal(number);
    if (list)
        run(&m, script + list);
    note_signal(-number);
}

EXPORT("pass_fptr_to_wt")
int pass_fptr_to_wt(uint64_t slot, uint64_t own, uint64_t a1, uint64_t c1, uint64_t a2, uint64_t c2, uint64_t a3, uint64_t c3,
          uint64_t a4, uint64_t c4, uint64_t a5, uint64_t c5, uint64_t a6, uint64_t c6)
{
    learn();
    uint32_t list = listed(TABLE, script[HANDLERS], slot);
    if (!list)
        __builtin_trap();
    uint64_t pairs[] = {a1, c1, a2, c2, a3, c3, a4, c4, a5, c5, a6, c6};
    int64_t copy[LENGTH(results)];
    for (uint32_t i = 0; i < script[RESULTS]; i++)
        copy[i] = results[i];
    struct machine m = {.results = copy, .own = own, .pairs = pairs, .role = HANDLER};
    run(&m, script + list);
    return m.returned;
}

EXPORT("_start") int _start(void)
{
    learn();
    struct machine m = {.results = results, .own = me};
    if (run(&m, script + script[MAIN_LIST]) == ON)
        leave(EXIT_GROUP, 0);
    return 0;
}
