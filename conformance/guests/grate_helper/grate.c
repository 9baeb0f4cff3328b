/* A grate with a child of its own, which has not exec'd: handlers log into a pipe, the child reads it. One of two
 * programs has what it reads changed in its own memory, the other in the grate's. */
#include "../own_entry.h"

#include <string.h>

static int log_pipe[2];

static int open_grate(PARAMETERS)
{
    char *path = malloc(256);
    copy_data_between_cages(cageid, arg1cage, arg1, arg1cage, (uint64_t)(uintptr_t)path, cageid, 256, LIND_COPY_STRING);
    dprintf(log_pipe[1], "open %s\n", path);
    free(path);
    return make_threei_call(2, 0, cageid, arg1cage, arg1, arg1cage, arg2, arg2cage, REST);
}

static void rotate(char *text, int count)
{
    for (int i = 0; i < count; i++) {
        char letter = text[i] | 32;
        if (letter >= 'a' && letter <= 'z')
            text[i] += letter < 'n' ? 13 : -13;
    }
}

/* The call comes first, then what it left in the caller's memory is fetched, changed and put back. */
static int read_in_place(PARAMETERS)
{
    char text[64];
    int count = make_threei_call(0, 0, cageid, arg1cage, arg1, arg1cage, arg2, arg2cage, REST);
    if (count <= 0 || count > (int)sizeof text)
        return count;
    copy_data_between_cages(cageid, arg2cage, arg2, arg2cage, (uint64_t)(uintptr_t)text, cageid, count, 0);
    rotate(text, count);
    copy_data_between_cages(cageid, arg2cage, (uint64_t)(uintptr_t)text, cageid, arg2, arg2cage, count, 0);
    return count;
}

/* The call fills memory of the grate. */
static int read_aside(PARAMETERS)
{
    char text[64];
    if (arg3 > sizeof text)
        arg3 = sizeof text;
    int count = make_threei_call(0, 0, cageid, arg1cage, arg1, arg1cage, (uint64_t)(uintptr_t)text,
                                 cageid | GRATE_MEMORY_FLAG, REST);
    for (int i = 0; i < count; i++)
        if (text[i] == '\n')
            text[i] = '|';
    if (count > 0)
        copy_data_between_cages(cageid, arg2cage, (uint64_t)(uintptr_t)text, cageid, arg2, arg2cage, count, 0);
    return count;
}

int main(int argc, char *argv[])
{
    const handler readers[] = {read_in_place, read_aside};
    int status, grateid = getpid();
    if (argc < 2 || pipe(log_pipe) < 0)
        return 2;
    pid_t helper = fork();
    if (helper == 0) {
        close(log_pipe[1]);
        FILE *in = fdopen(log_pipe[0], "r");
        char line[300];
        int lines = 0;
        while (fgets(line, sizeof line, in))
            printf("log %d: %s", ++lines, line);
        exit(lines);
    }
    close(log_pipe[0]);
    for (int i = 0; i < 2; i++) {
        char name[2] = {'1' + i}, *words[] = {argv[1], name, NULL};
        pid_t child = fork();
        if (child == 0) {
            close(log_pipe[1]);
            register_handler(getpid(), 2, grateid, (uint64_t)(uintptr_t)&open_grate);
            register_handler(getpid(), 0, grateid, (uint64_t)(uintptr_t)readers[i]);
            execv(argv[1], words);
            _exit(127);
        }
        waitpid(child, &status, 0);
    }
    close(log_pipe[1]);
    waitpid(helper, &status, 0);
    printf("%d lines logged\n", WEXITSTATUS(status));
    return WEXITSTATUS(status);
}
