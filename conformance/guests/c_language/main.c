/* The language: structures by value, bit fields, unions, function pointers, variable arrays, variable arguments, goto. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct point {
    double x, y;
    char name[8];
};

struct bits {
    unsigned a : 3, b : 7;
    int c : 5;
    unsigned : 0;
    unsigned d : 32;
};

union view {
    uint32_t whole;
    uint8_t bytes[4];
    float real;
};

enum colour { RED, GREEN = 5, BLUE };

static struct point moved(struct point p, double by)
{
    p.x += by;
    p.name[0]++;
    return p;
}

static long total(int count, ...)
{
    va_list args, again;
    long sum = 0;
    va_start(args, count);
    va_copy(again, args);
    for (int i = 0; i < count; i++)
        sum += va_arg(args, int);
    sum += 1000 * (long)va_arg(args, double);
    sum *= va_arg(again, int);
    va_end(again);
    va_end(args);
    return sum;
}

static int twice(int x) { return 2 * x; }
static int square(int x) { return x * x; }

static int apply(int (*const functions[])(int), int count, int x)
{
    for (int i = 0; i < count; i++)
        x = functions[i](x);
    return x;
}

static int trace_of(int n, int matrix[n][n])
{
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum += matrix[i][i];
    return sum;
}

static const char *kind(int c)
{
    switch (c) {
    case 'a' ... 'z': return "lower";
    case 'A' ... 'Z': return "upper";
    case '0': case '1': return "bit";
    default: return "other";
    }
}

#define TYPE(x) _Generic((x), int: "int", double: "double", char *: "text", default: "?")

int main(void)
{
    struct point p = {1.5, 2, "pt"}, q = moved(p, 3);
    printf("%g %s, %g %s\n", p.x, p.name, q.x, q.name);
    struct bits b = {.a = 1, .b = 72, .c = -3, .d = 0xffffffff};
    printf("%u %u %d %u\n", b.a, b.b, b.c, b.d);
    b.c = -15;
    b.a--;
    printf("%u %d\n", b.a, b.c);
    union view v = {.real = 1.0f};
    printf("%08x %02x\n", v.whole, v.bytes[3]);
    printf("%ld\n", total(3, 10, 20, 30, 2.0));
    printf("%d\n", apply((int (*const[])(int)){twice, square, twice}, 3, 5));
    int n = 4, matrix[n][n];
    for (int i = 0; i < n * n; i++)
        matrix[i / n][i % n] = i;
    printf("%d %d\n", trace_of(n, matrix), (int)(sizeof matrix / sizeof(int)));
    printf("%s %s %s %s\n", kind('q'), kind('Q'), kind('1'), kind('?'));
    printf("%s %s %s %s\n", TYPE(1), TYPE(1.0), TYPE((char *)0), TYPE(1.0f));
    enum colour colour = BLUE;
    printf("%d %d\n", colour, RED + GREEN);
    int array[] = {[3] = 7, 8, [1] = 5};
    printf("%zu %d %d %d\n", sizeof array / sizeof *array, array[1], array[4], array[0]);
    int x = 5, y = x++, z = ((void)x, y);
    printf("%d %d %d\n", x, y != 0, z == y);
    char text[] = "comma" " and " "joined";
    printf("%zu %s\n", sizeof text, text);
    int i = 0;
again:
    if (++i < 3)
        goto again;
    do {
        if (i == 5)
            continue;
        if (i == 8)
            break;
    } while (++i < 10);
    printf("%d\n", i);
    unsigned char small = 250;
    small += 10;
    signed char negative = (signed char)200;
    printf("%d %d %d %d\n", small, negative, -7 / 2, -7 % 2);
    bool yes = 42, no = 0.0;
    printf("%d %d %d %d\n", yes, no, !yes, yes && !no);
    printf("%d %d\n", (int)offsetof(struct point, name), (int)_Alignof(double));
    static int counter;
    int *const pointer = &counter;
    *pointer += 3;
    printf("%d %d\n", counter, (int)(&array[4] - &array[1]));
    struct {
        int tag;
        struct { int inner; };
    } anonymous = {1, {2}};
    printf("%d\n", anonymous.tag + anonymous.inner);
    printf("%d %d %d\n", 1 ? 2 : 3, x || y, 3 & 6 ^ 5 | 8);
    const char *where = __func__;
    printf("%s %d\n", where, (int)sizeof(char[n]));
    return strlen(text) == 16 ? 0 : 1;
}
