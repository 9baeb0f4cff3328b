/* Arguments and environment: what came in, what setenv, putenv and unsetenv make of it, and standard input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void show(const char *name)
{
    const char *value = getenv(name);
    printf("%s=%s\n", name, value ? value : "(unset)");
}

static int count(void)
{
    int n = 0;
    while (environ && environ[n])
        n++;
    return n;
}

int main(int argc, char **argv)
{
    char line[64], entry[] = "PUT=put in";
    printf("%d arguments\n", argc - 1);
    for (int i = 1; i < argc; i++)
        printf("  [%s] %zu\n", argv[i], strlen(argv[i]));
    printf("end is %s\n", argv[argc] ? "wrong" : "NULL");
    printf("%d variables\n", count());
    show("COLOUR");
    show("EMPTY");
    show("NOBODY");
    show("COL");
    printf("setenv without overwrite: %d\n", setenv("COLOUR", "green", 0));
    show("COLOUR");
    printf("setenv: %d\n", setenv("COLOUR", "a = b", 1));
    show("COLOUR");
    printf("putenv: %d\n", putenv(entry));
    show("PUT");
    entry[4] = 'P';
    show("PUT");
    printf("setenv new: %d\n", setenv("NEW", "", 1));
    show("NEW");
    printf("%d variables\n", count());
    printf("unsetenv: %d %d\n", unsetenv("EMPTY"), unsetenv("NOBODY"));
    show("EMPTY");
    printf("bad names: %d %d\n", setenv("", "x", 1), setenv("A=B", "x", 1));
    printf("%d variables\n", count());
    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "V%d", i);
        setenv(name, name + 1, 1);
    }
    printf("%d variables\n", count());
    show("V0");
    show("V39");
    clearenv();
    printf("%d variables\n", count());
    show("COLOUR");
    while (fgets(line, sizeof line, stdin))
        printf("input: %s", line);
    printf("\nend of input %d\n", feof(stdin) != 0);
    return argc;
}
