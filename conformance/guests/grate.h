/* What the grates here that have settings or look into arguments share. */
#ifndef GRATE_H
#define GRATE_H

#include "launch.h"

/* Words NAME=VALUE before the program are the grate's own: the value of `name`, or `otherwise`. */
static inline const char *setting(char **argv, const char *name, const char *otherwise)
{
    size_t length = strlen(name);
    for (char **word = argv + 1; *word && strchr(*word, '='); word++)
        if (strncmp(*word, name, length) == 0 && (*word)[length] == '=')
            return *word + length + 1;
    return otherwise;
}

/* Launch the program behind the settings. */
static inline int launch_behind(char **argv, void (*interpose)(uint64_t child, uint64_t grate))
{
    char *name = *argv;
    while (argv[1] && strchr(argv[1], '='))
        *++argv = name;
    return launch(argv, interpose);
}

/* Bytes of another cage, copied into a buffer of this one: 0, or -EFAULT. */
static inline int fetch(uint64_t grate, void *to, size_t size, uint64_t from, uint64_t cage)
{
    if (size == 0)
        return 0;
    int copied = copy_data_between_cages(grate, grate, from, cage, (uintptr_t)to, grate, size, LIND_COPY_BYTES);
    return copied == ELINDAPIABORTED ? -EFAULT : 0;
}

/* Bytes of this one, copied to another cage: 0, or -EFAULT. */
static inline int deliver(uint64_t grate, const void *from, size_t size, uint64_t to, uint64_t cage)
{
    if (size == 0)
        return 0;
    int copied = copy_data_between_cages(grate, grate, (uintptr_t)from, grate, to, cage, size, LIND_COPY_BYTES);
    return copied == ELINDAPIABORTED ? -EFAULT : 0;
}

/* A pointer of this grate as an argument: its address in the grate, with the memory flag beside it. */
#define LENT(pointer) (uintptr_t)(pointer), grate | LIND_GRATE_MEMORY_FLAG

/* Arguments 3 to 6 as they came, to a call that sets no errno: the end of a make_threei_call. */
#define THE_REST arg3, arg3cage, arg4, arg4cage, arg5, arg5cage, arg6, arg6cage, 0

/* For handlers that do not look at their arguments. */
#define UNUSED_ARGUMENTS                                                                                             \
    (void)grate, (void)arg1, (void)arg1cage, (void)arg2, (void)arg2cage, (void)arg3, (void)arg3cage, (void)arg4,     \
        (void)arg4cage, (void)arg5, (void)arg5cage, (void)arg6, (void)arg6cage

/* A call and the handler that serves it. */
struct row {
    int number;
    lind_handler handler;
};

static inline void interpose_rows(uint64_t child, uint64_t grate, const struct row *rows, size_t size)
{
    for (size_t i = 0; i < size / sizeof *rows; i++)
        register_handler(child, rows[i].number, grate, LIND_HANDLER(rows[i].handler));
}

#endif
