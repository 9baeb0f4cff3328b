/* Calls are allowed or denied by a list of rules; the first that has a fitting pattern decides.
 *
 *     lindref run grate.wasm rules=/rules otherwise=allow app.wasm
 *
 * A rule is a line: allow or deny, patterns as in a shell, and the error of what is denied, if it is not EPERM. What
 * stands behind # is a comment. */
#include "../calls.h"
#include "../grate.h"
#include "../names.h"

#include <ctype.h>
#include <fnmatch.h>

LIND_GRATE_ENTRY

/* By number: how a call fails; 0: it may pass, UNDECIDED: no rule has said so far. */
#define UNDECIDED (-1)
static int failure[512];
static int launched;

#define DENY(name)                                                                                                   \
    static int deny_##name(LIND_HANDLER_PARAMS)                                                                      \
    {                                                                                                                \
        if (LIND_CALL_##name == LIND_CALL_EXECVE && !launched++) /* the program itself comes from outside */         \
            return lind_forward(LIND_CALL_##name);                                                                   \
        return -failure[LIND_CALL_##name];                                                                           \
    }
EACH_CALL(DENY)

#define ROW(name) {#name, {LIND_CALL_##name, deny_##name}},
static const struct {
    const char *name;
    struct row row;
} calls[] = {EACH_CALL(ROW)};
#define EACH(i) (size_t i = 0; i < sizeof calls / sizeof *calls; i++)

/* All calls that fit and are not decided yet. */
static void decide(const char *pattern, int how)
{
    for EACH(i)
        if (failure[calls[i].row.number] == UNDECIDED && fnmatch(pattern, calls[i].name, FNM_CASEFOLD) == 0)
            failure[calls[i].row.number] = how;
}

static int numbered(const char *error)
{
    for (int number = 1; number < 134; number++)
        if (strcmp(name_of(number), error) == 0)
            return number;
    return 0;
}

/* One line; what is wrong with it, or NULL. */
static const char *rule(char *line)
{
    char *words[64], *rest;
    int count = 0;
    line[strcspn(line, "#\n")] = 0;
    for (char *word = strtok_r(line, " \t", &rest); word && count < 64; word = strtok_r(NULL, " \t", &rest))
        words[count++] = word;
    if (!count)
        return NULL;
    int denies = strcmp(words[0], "deny") == 0, how = denies ? EPERM : 0;
    if (!denies && strcmp(words[0], "allow") != 0)
        return "neither allow nor deny";
    if (denies && count > 1 && isupper((unsigned char)*words[count - 1]) && !(how = numbered(words[--count])))
        return "no error is called so";
    for (int i = 1; i < count; i++)
        decide(words[i], how);
    return count > 1 ? NULL : "no call is named";
}

static void interpose(uint64_t child, uint64_t grate)
{
    for EACH(i)
        if (failure[calls[i].row.number])
            register_handler(child, calls[i].row.number, grate, LIND_HANDLER(calls[i].row.handler));
}

int main(int argc, char **argv)
{
    (void)argc;
    const char *name = setting(argv, "rules", NULL), *wrong = NULL, *otherwise = setting(argv, "otherwise", "allow");
    char line[1024];
    FILE *file = name ? fopen(name, "r") : NULL;
    if (name && !file)
        return perror(name), 2;
    for EACH(i)
        failure[calls[i].row.number] = UNDECIDED;
    for (int number = 1; file && fgets(line, sizeof line, file); number++)
        if ((wrong = rule(line)))
            return fprintf(stderr, "%s:%d: %s\n", name, number, wrong), 2;
    if (file)
        fclose(file);
    if (strcmp(otherwise, "allow") != 0 && strcmp(otherwise, "deny") != 0)
        return fprintf(stderr, "otherwise=%s: allow or deny\n", otherwise), 2;
    decide("*", *otherwise == 'd' ? EPERM : 0);
    return launch_behind(argv, interpose);
}
