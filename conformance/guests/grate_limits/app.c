/* Opens until it may not, closes one and opens again; writes until it may not. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void say(const char *text)
{
    write(2, text, strlen(text));
}

int main(void)
{
    int a = open("/app.c", O_RDONLY), b = dup(a), c = open("/app.c", O_RDONLY);
    int refused = a == 3 && b == 4 && c == -1 && errno == EMFILE;
    close(b);
    int again = open("/app.c", O_RDONLY) == 4;
    int all = write(1, "0123456789\n", 11), part = write(1, "0123456789\n", 11), none = write(1, "x", 1);
    int full = none == -1 && errno == EFBIG;
    say("not shown: nothing is left for it\n");
    return refused + 2 * again + 4 * (all == 11) + 8 * (part == 9) + 16 * full;
}
