/* Options: short and long ones, with and without arguments, in any order, wrong ones. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void run(const char *letters, const struct option *options, int only, int count, char **words)
{
    char *argv[20] = {"prog"};
    int argc = count + 1, c, index = -1;
    for (int i = 0; i < count; i++)
        argv[i + 1] = words[i];
    argv[argc] = NULL;
    optind = 0;
    printf("%s:", letters);
    while ((c = !options ? getopt(argc, argv, letters)
                : only   ? getopt_long_only(argc, argv, letters, options, &index)
                         : getopt_long(argc, argv, letters, options, &index)) != -1) {
        if (c == 0)
            printf(" flag");
        else if (c == 1)
            printf(" word");
        else if (c < 256)
            printf(" %c", c);
        else
            printf(" <%d>", c);
        if (c == '?' || c == ':')
            printf("(%c)", optopt > 32 && optopt < 127 ? optopt : '-');
        if (optarg)
            printf("=%s", optarg);
        if (index >= 0)
            printf("#%d", index);
        index = -1;
    }
    printf(" |");
    for (int i = optind; i < argc; i++)
        printf(" %s", argv[i]);
    printf("\n");
    fflush(stdout);
}

#define RUN(letters, options, ...) \
    do { \
        char *words[] = {__VA_ARGS__}; \
        run(letters, options, 0, sizeof words / sizeof *words, words); \
    } while (0)

int main(void)
{
    static int flag;
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"level", optional_argument, NULL, 300},
                                            {"verbose", no_argument, &flag, 5},
                                            {"version", no_argument, NULL, 301},
                                            {NULL, 0, NULL, 0}};
    RUN("ab:c::", NULL, "-a", "-b", "x", "-cy", "-c", "rest");
    RUN("ab:c::", NULL, "-abx", "word", "-a", "--", "-a");
    RUN("+ab:", NULL, "-a", "word", "-b", "x");
    RUN("-ab:", NULL, "one", "-a", "two", "-b", "x");
    RUN(":ab:", NULL, "-z", "-b");
    RUN("ab:", NULL, "-z", "-b");
    RUN("a", NULL, "-", "-a", "-");
    RUN("ab", NULL, "w1", "-a", "w2", "-b", "w3");
    RUN("ho:", options, "--help", "--output", "f", "--output=g", "--level", "--level=3", "-o", "h");
    RUN("ho:", options, "--verb", "--out=x", "a", "--", "--help");
    RUN("ho:", options, "--ver", "--nothing", "--help=yes", "--output");
    RUN(":ho:", options, "--output");
    printf("flag %d\n", flag);
    char *words[] = {"-help", "-output", "x", "-h", "word"};
    run("ho:", options, 1, 5, words);
    opterr = 0;
    RUN("ab:", NULL, "-z", "-b");
    return 0;
}
