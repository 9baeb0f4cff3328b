/* A word that is not to be seen is struck out of what is written, as long as it comes in one piece.
 *
 *     lindref run grate.wasm word=secret app.wasm */
#include "../grate.h"

#define PARTS 16
#define LONGEST 65536

LIND_GRATE_ENTRY

static const char *word;

static void strike(char *text, size_t length)
{
    size_t size = strlen(word);
    for (size_t i = 0; size && i + size <= length; i++)
        if (memcmp(text + i, word, size) == 0)
            memset(text + i, '*', size);
}

/* Writes `length` bytes of this grate for `cage`, without the word; they are given back. */
static int write_struck(uint64_t grate, uint64_t cage, uint64_t fd, char *text, size_t length)
{
    strike(text, length);
    int written = make_threei_call(LIND_CALL_WRITE, 0, grate, cage, fd, cage, LENT(text), length, cage, LIND_NOTUSED,
                                   cage, LIND_NOTUSED, cage, LIND_NOTUSED, cage, 0);
    free(text);
    return written;
}

static int on_write(LIND_HANDLER_PARAMS)
{
    (void)arg3cage, (void)arg4, (void)arg4cage, (void)arg5, (void)arg5cage, (void)arg6, (void)arg6cage;
    size_t length = arg3 < LONGEST ? arg3 : LONGEST; /* more than that is a short write */
    char *text = malloc(length + 1);
    if (!text)
        return -ENOMEM;
    if (fetch(grate, text, length, arg2, arg2cage) < 0) {
        free(text);
        return -EFAULT;
    }
    return write_struck(grate, arg1cage, arg1, text, length);
}

/* The parts are put together, so that a word across two of them is found too. They lie in the caller's memory as
 * pairs of 64 bits. */
static int on_writev(LIND_HANDLER_PARAMS)
{
    (void)arg3cage, (void)arg4, (void)arg4cage, (void)arg5, (void)arg5cage, (void)arg6, (void)arg6cage;
    struct {
        uint64_t base, length;
    } parts[PARTS];
    int count = arg3 < PARTS ? (int)arg3 : PARTS;
    char *text = malloc(LONGEST);
    size_t used = 0;
    int fault = !text ? -ENOMEM : fetch(grate, parts, count * sizeof *parts, arg2, arg2cage);
    for (int i = 0; i < count && !fault; i++) {
        size_t length = parts[i].length < LONGEST - used ? parts[i].length : LONGEST - used;
        fault = fetch(grate, text + used, length, parts[i].base, arg2cage);
        used += length;
    }
    if (fault) {
        free(text);
        return fault;
    }
    return write_struck(grate, arg1cage, arg1, text, used);
}

static void interpose(uint64_t child, uint64_t grate)
{
    register_handler(child, LIND_CALL_WRITE, grate, LIND_HANDLER(on_write));
    register_handler(child, LIND_CALL_WRITEV, grate, LIND_HANDLER(on_writev));
}

int main(int argc, char **argv)
{
    (void)argc;
    word = setting(argv, "word", "secret");
    return launch_behind(argv, interpose);
}
