/* Gives away a password: in one write, in the parts of a writev, and letter by letter, which nobody notices. */
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

int main(void)
{
    struct iovec parts[] = {{"it is pass", 10}, {"word, I said\n", 13}};
    printf("the password is password\n");
    fflush(stdout);
    int written = writev(1, parts, 2);
    for (const char *letter = "password\n"; *letter; letter++)
        written += write(1, letter, 1);
    return written;
}
