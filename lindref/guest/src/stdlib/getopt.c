/* Command-line options, short and long. */
#include "../internal.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *optarg;
int optind = 1, opterr = 1, optopt;

static char *next_letter;   /* the rest of a word with several options */
static int first_word;      /* words from here to optind are no options: they were moved behind */
static int last_word;

/* Exchange the words [first, middle) with [middle, end). */
static void rotate(char **argv, int first, int middle, int end)
{
    while (middle < end) {
        char *moved = argv[middle];
        memmove(argv + first + 1, argv + first, (middle - first) * sizeof *argv);
        argv[first++] = moved;
        middle++;
    }
}

static int complain(char **argv, int colon, const char *format, const char *what, int result)
{
    if (opterr && !colon)
        fprintf(stderr, format, argv[0], what);
    return result;
}

/* A long option, or -2 if the word is none. */
static int long_option(int argc, char **argv, char *word, const char *dashes, const struct option *options, int *index,
                       int colon, int only)
{
    size_t length = strcspn(word, "=");
    const struct option *found = 0;
    int ambiguous = 0, exact = 0;
    char text[160];
    for (const struct option *it = options; it->name; it++) {
        if (strncmp(it->name, word, length))
            continue;
        if (strlen(it->name) == length) {
            found = it;
            exact = 1;
            break;
        }
        if (found && (found->has_arg != it->has_arg || found->flag != it->flag || found->val != it->val))
            ambiguous = 1;
        if (!found)
            found = it;
    }
    if (!exact && ambiguous) {
        optind++;
        optopt = 0;
        if (opterr && !colon) {
            fprintf(stderr, "%s: option '%s%s' is ambiguous; possibilities:", argv[0], dashes, word);
            for (const struct option *it = options; it->name; it++)
                if (!strncmp(it->name, word, length))
                    fprintf(stderr, " '%s%s'", dashes, it->name);
            fputc('\n', stderr);
        }
        return '?';
    }
    if (!found) {
        if (only)
            return -2;
        optind++;
        optopt = 0;
        snprintf(text, sizeof text, "%s%.*s", dashes, (int)length, word);
        return complain(argv, colon, "%s: unrecognized option '%s'\n", text, '?');
    }
    optind++;
    optarg = 0;
    if (word[length] == '=') {
        if (found->has_arg == no_argument) {
            optopt = found->val;
            snprintf(text, sizeof text, "%s%s", dashes, found->name);
            return complain(argv, colon, "%s: option '%s' doesn't allow an argument\n", text, '?');
        }
        optarg = word + length + 1;
    } else if (found->has_arg == required_argument) {
        if (optind >= argc) {
            optopt = found->val;
            snprintf(text, sizeof text, "%s%s", dashes, found->name);
            return complain(argv, colon, "%s: option '%s' requires an argument\n", text, colon ? ':' : '?');
        }
        optarg = argv[optind++];
    }
    if (index)
        *index = found - options;
    if (!found->flag)
        return found->val;
    *found->flag = found->val;
    return 0;
}

static int step(int argc, char **argv, const char *letters, const struct option *options, int *index, int only)
{
    int in_order = 0, as_arguments = 0;
    optarg = 0;
    if (optind == 0) {
        optind = 1;
        next_letter = 0;
        first_word = last_word = 1;
    }
    if (*letters == '+') {
        in_order = 1;
        letters++;
    } else if (*letters == '-') {
        as_arguments = 1;
        letters++;
    } else if (getenv("POSIXLY_CORRECT")) {
        in_order = 1;
    }
    int colon = *letters == ':';
    if (!next_letter || !*next_letter) {
        next_letter = 0;
        if (last_word > optind)
            last_word = optind;
        if (first_word > optind)
            first_word = optind;
        if (!in_order && !as_arguments) {
            /* Words that are no options, before and after the options just read, are brought together. */
            if (first_word != last_word && last_word != optind) {
                rotate(argv, first_word, last_word, optind);
                first_word += optind - last_word;
            } else if (last_word != optind) {
                first_word = optind;
            }
            while (optind < argc && (argv[optind][0] != '-' || !argv[optind][1]))
                optind++;
            last_word = optind;
        }
        if (optind < argc && !strcmp(argv[optind], "--")) {
            optind++;
            if (first_word != last_word && last_word != optind) {
                rotate(argv, first_word, last_word, optind);
                first_word += optind - last_word;
            } else if (first_word == last_word) {
                first_word = optind;
            }
            last_word = argc;
            optind = argc;
        }
        if (optind >= argc) {
            if (first_word != last_word)
                optind = first_word;
            return -1;
        }
        if (argv[optind][0] != '-' || !argv[optind][1]) {
            if (!as_arguments)
                return -1;
            optarg = argv[optind++];
            return 1;
        }
        if (options && argv[optind][1] == '-')
            return long_option(argc, argv, argv[optind] + 2, "--", options, index, colon, 0);
        if (options && only && (argv[optind][2] || !strchr(letters, argv[optind][1]))) {
            int result = long_option(argc, argv, argv[optind] + 1, "-", options, index, colon, 1);
            if (result != -2)
                return result;
        }
        next_letter = argv[optind] + 1;
    }
    char letter = *next_letter++, one[2] = {letter};
    const char *known = strchr(letters, letter);
    if (!*next_letter)
        optind++;
    if (!known || letter == ':' || letter == ';') {
        optopt = letter;
        return complain(argv, colon, "%s: invalid option -- '%s'\n", one, '?');
    }
    if (known[1] != ':')
        return letter;
    if (*next_letter) {
        optarg = next_letter;
        optind++;
    } else if (known[2] != ':') {
        if (optind >= argc) {
            optopt = letter;
            next_letter = 0;
            return complain(argv, colon, "%s: option requires an argument -- '%s'\n", one, colon ? ':' : '?');
        }
        optarg = argv[optind++];
    }
    next_letter = 0;
    return letter;
}

int getopt(int argc, char *const argv[], const char *options)
{
    return step(argc, (char **)argv, options, 0, 0, 0);
}

int getopt_long(int argc, char *const argv[], const char *letters, const struct option *options, int *index)
{
    return step(argc, (char **)argv, letters, options, index, 0);
}

int getopt_long_only(int argc, char *const argv[], const char *letters, const struct option *options, int *index)
{
    return step(argc, (char **)argv, letters, options, index, 1);
}
