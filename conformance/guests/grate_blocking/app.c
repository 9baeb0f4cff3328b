/* Three children wait in read, in the grate; the parent wakes them one by one, through the same grate. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 3

int main(void)
{
    int to[CHILDREN][2], back[2], sum = 0;
    pipe(back);
    for (int i = 0; i < CHILDREN; i++) {
        pipe(to[i]);
        if (fork() == 0) {
            char number = 0;
            if (read(to[i][0], &number, 1) != 1)
                return 1;
            number *= 2;
            write(back[1], &number, 1);
            return 0;
        }
    }
    for (int i = 0; i < CHILDREN; i++)
        for (int turn = 0; turn < 20; turn++)
            getppid(); /* let the children get into their reads */
    for (int i = CHILDREN; i-- > 0;) {
        char number = 10 * (i + 1);
        write(to[i][1], &number, 1);
        read(back[0], &number, 1);
        printf("child %d answers %d\n", i, number);
        sum += number;
    }
    while (wait(NULL) > 0)
        ;
    return sum;
}
