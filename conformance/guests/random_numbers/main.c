/* The generators of the C library give the sequences that are known, and the same again from the same seed. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    for (int i = 0; i < 4; i++)
        printf("%d ", rand());
    srand(42);
    int first = rand();
    printf("\n%d ", first);
    for (int i = 0; i < 400; i++)
        rand();
    printf("%d\n", rand());
    srand(42);
    printf("%d\n", rand() == first);
    srandom(7);
    printf("%ld\n", random());
    unsigned seed = 5;
    int a = rand_r(&seed), b = rand_r(&seed);
    printf("%d %d\n", a, b);
    srand48(1);
    double real = drand48();
    long l = lrand48(), m = mrand48();
    printf("%.15f %ld %ld\n", real, l, m);
    unsigned short state[3] = {1, 2, 3};
    real = erand48(state);
    printf("%.15f %u\n", real, state[0]);
    char space[128];
    initstate(3, space, sizeof space);
    long x = random();
    srandom(3);
    printf("%d %ld\n", x == random(), x);
    return 0;
}
