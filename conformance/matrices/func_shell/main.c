/* FUNC-003: a small shell: words and quotes, variables, pipelines, redirections, lists with && and ||, cd, exit status,
   background jobs. Its commands are images of its own. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 32, STAGES = 8 };

static int status;

/* The commands: echo, cat, upper, count, sort, true, false. */
static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int command(int argc, char **argv)
{
    char line[256];
    if (!strcmp(argv[0], "echo")) {
        for (int i = 1; i < argc; i++)
            printf("%s%s", argv[i], i + 1 < argc ? " " : "");
        puts("");
    } else if (!strcmp(argv[0], "cat")) {
        FILE *from = argc > 1 ? fopen(argv[1], "r") : stdin;
        if (!from)
            return fprintf(stderr, "cat: %s: not there\n", argv[1]), 1;
        while (fgets(line, sizeof line, from))
            fputs(line, stdout);
    } else if (!strcmp(argv[0], "upper")) {
        for (int c; (c = getchar()) != EOF;)
            putchar(toupper(c));
    } else if (!strcmp(argv[0], "count")) {
        int lines = 0, letters = 0;
        for (int c; (c = getchar()) != EOF; letters++)
            lines += c == '\n';
        printf("%d %d\n", lines, letters);
    } else if (!strcmp(argv[0], "sort")) {
        char *all[64];
        int many = 0;
        while (many < 64 && fgets(line, sizeof line, stdin))
            all[many++] = strdup(line);
        qsort(all, many, sizeof *all, compare);
        for (int i = 0; i < many; i++)
            fputs(all[i], stdout);
    } else {
        return !strcmp(argv[0], "true") ? 0 : !strcmp(argv[0], "false") ? 1 : 127;
    }
    fflush(stdout);
    return 0;
}

/* Words: quotes keep blanks, $name and $? stand for values; operators are words of their own. */
static int words(char *line, char **out)
{
    static char store[1024];
    char *to = store;
    int many = 0;
    while (*line) {
        if (isspace((unsigned char)*line)) {
            line++;
            continue;
        }
        out[many++] = to;
        if (strchr("|&<>;", *line)) {
            *to++ = *line++;
            if (line[-1] == *line && strchr("|&>", *line))
                *to++ = *line++;
            *to++ = 0;
            continue;
        }
        char quote = 0;
        for (; *line && (quote || !(isspace((unsigned char)*line) || strchr("|&<>;", *line))); line++) {
            if (quote ? *line == quote : *line == '\'' || *line == '"') {
                quote = quote ? 0 : *line;
            } else if (*line == '$' && quote != '\'') {
                char name[32], number[16];
                size_t length = 0;
                if (line[1] == '?') {
                    snprintf(number, sizeof number, "%d", status);
                    to = stpcpy(to, number), line++;
                    continue;
                }
                while (isalnum((unsigned char)line[1]) && length < sizeof name - 1)
                    name[length++] = *++line;
                name[length] = 0;
                to = stpcpy(to, getenv(name) ? getenv(name) : "");
            } else {
                *to++ = *line;
            }
        }
        *to++ = 0;
    }
    out[many] = NULL;
    return many;
}

static void stage(char **argv, int from, int to, int other)
{
    if (other >= 0)
        close(other);
    if (from != 0)
        dup2(from, 0), close(from);
    if (to != 1)
        dup2(to, 1), close(to);
    char *kept[WORDS + 2] = {"main.wasm", "-c"};
    int many = 2;
    for (int i = 0; argv[i]; i++) {
        int append = !strcmp(argv[i], ">>"), fd;
        if (append || !strcmp(argv[i], ">")) {
            fd = open(argv[++i], O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), 0600);
            dup2(fd, 1), close(fd);
        } else if (!strcmp(argv[i], "<")) {
            fd = open(argv[++i], O_RDONLY);
            if (fd < 0)
                fprintf(stderr, "%s: not there\n", argv[i]), _exit(1);
            dup2(fd, 0), close(fd);
        } else {
            kept[many++] = argv[i];
        }
    }
    execv(getenv("SELF"), kept);
    _exit(126);
}

static int pipeline(char **argv, int background)
{
    pid_t children[STAGES];
    int many = 0, from = 0;
    for (char **begin = argv;;) {
        char **end = begin;
        while (*end && strcmp(*end, "|"))
            end++;
        int last = !*end, fds[2] = {-1, -1};
        *end = NULL;
        if (!last)
            pipe(fds);
        children[many] = fork();
        if (children[many++] == 0)
            stage(begin, from, last ? 1 : fds[1], fds[0]);
        if (from)
            close(from);
        if (last)
            break;
        close(fds[1]);
        from = fds[0], begin = end + 1;
    }
    if (background)
        return 0;
    int code = 0;
    for (int i = 0; i < many; i++)
        waitpid(children[i], &code, 0);
    return WIFEXITED(code) ? WEXITSTATUS(code) : 128 + WTERMSIG(code);
}

static void run(char **argv)
{
    for (int skip = 0; *argv;) {
        char **end = argv;
        while (*end && strcmp(*end, "&&") && strcmp(*end, "||") && strcmp(*end, ";") && strcmp(*end, "&"))
            end++;
        char *how = *end;
        *end = NULL;
        char *equals = *argv ? strchr(*argv, '=') : NULL;
        if (skip || !*argv)
            ;
        else if (!strcmp(*argv, "cd"))
            status = chdir(argv[1]) != 0;
        else if (!strcmp(*argv, "wait"))
            while (wait(NULL) > 0)
                ;
        else if (!strcmp(*argv, "exit"))
            exit(argv[1] ? atoi(argv[1]) : status);
        else if (equals && !argv[1])
            *equals = 0, status = setenv(*argv, equals + 1, 1) != 0;
        else
            status = pipeline(argv, how && !strcmp(how, "&"));
        if (!how)
            return;
        skip = (!strcmp(how, "&&") && status) || (!strcmp(how, "||") && !status);
        argv = end + 1;
    }
}

int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[1], "-c"))
        return command(argc - 2, argv + 2);
    char line[512], *found[WORDS], here[256];
    setvbuf(stdin, NULL, _IONBF, 0);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    snprintf(line, sizeof line, "%s/main.wasm", getcwd(here, sizeof here));
    setenv("SELF", line, 1);
    while (fgets(line, sizeof line, stdin))
        if (words(line, found))
            run(found);
    return status;
}
