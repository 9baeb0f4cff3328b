/* Loops over arrays: matrix product, sieve, longest common subsequence, shortest paths. */
#include <stdio.h>
#include <string.h>

#define N 12

static int a[N][N], b[N][N], product[N][N];
static unsigned char composite[2000];

static int common(const char *x, const char *y)
{
    static int best[40][40];
    int m = (int)strlen(x), n = (int)strlen(y);
    for (int i = 1; i <= m; i++)
        for (int j = 1; j <= n; j++)
            best[i][j] = x[i - 1] == y[j - 1] ? best[i - 1][j - 1] + 1
                         : best[i - 1][j] > best[i][j - 1] ? best[i - 1][j] : best[i][j - 1];
    return best[m][n];
}

int main(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = i * j % 7 - 3;
            b[i][j] = (i + 2 * j) % 5;
        }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++)
                product[i][j] += a[i][k] * b[k][j];
    long sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            sum += (i + 1) * (long)product[i][j];
    printf("%d %ld\n", product[3][4], sum);
    int primes = 0, last = 0;
    for (int i = 2; i < 2000; i++) {
        if (composite[i])
            continue;
        primes++;
        last = i;
        for (int j = i * i; j < 2000; j += i)
            composite[j] = 1;
    }
    printf("%d primes, the last %d\n", primes, last);
    printf("%d\n", common("the quick brown fox", "a quiet brown box of tricks"));
    int distance[8][8];
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++)
            distance[i][j] = i == j ? 0 : (i * 3 + j * 5) % 7 < 3 ? (i + j) % 9 + 1 : 1000;
    for (int k = 0; k < 8; k++)
        for (int i = 0; i < 8; i++)
            for (int j = 0; j < 8; j++)
                if (distance[i][k] + distance[k][j] < distance[i][j])
                    distance[i][j] = distance[i][k] + distance[k][j];
    for (int i = 0; i < 8; i++)
        printf("%d ", distance[i][7 - i]);
    printf("\n");
    return 0;
}
