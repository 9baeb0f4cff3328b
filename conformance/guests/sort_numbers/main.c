/* Sorting and searching, and text to numbers: every base, edges, overflow, rest of the text. */
#include "../names.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

struct pair {
    int key, number;
    char name[9];
};

static int compares;

static int by_key(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    compares++;
    return a->key < b->key ? -1 : a->key > b->key;
}

static int as_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static int bytes(const void *left, const void *right)
{
    return *(const unsigned char *)left - *(const unsigned char *)right;
}

static void whole(const char *text, int base)
{
    char *end = (char *)text;
    errno = 0;
    long long value = strtoll(text, &end, base);
    printf("strtoll %-24s %2d: %lld, rest [%s] %s", text, base, value, end, name_of(errno));
    errno = 0;
    unsigned long long other = strtoull(text, &end, base);
    printf(", unsigned %llu %s\n", other, name_of(errno));
}

static void real(const char *text)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    printf("strtod %-28s: %.17g %a, rest [%s] %s", text, value, value, end, name_of(errno));
    errno = 0;
    float less = strtof(text, &end);
    printf(", float %.9g %s\n", less, name_of(errno));
}

int main(void)
{
    struct pair pairs[200];
    unsigned x = 99;
    for (int i = 0; i < 200; i++) {
        pairs[i].key = (x = x * 1103515245 + 12345) >> 16 & 0xff;
        pairs[i].number = i;
        snprintf(pairs[i].name, sizeof pairs[i].name, "p%d", pairs[i].key);
    }
    qsort(pairs, 200, sizeof *pairs, by_key);
    int wrong = 0;
    for (int i = 1; i < 200; i++)
        wrong += pairs[i - 1].key > pairs[i].key;
    printf("out of order %d, few comparisons %d\n", wrong, compares < 4000);
    struct pair wanted = {pairs[77].key, 0, ""}, *found = bsearch(&wanted, pairs, 200, sizeof *pairs, by_key);
    printf("found %d\n", found && found->key == wanted.key);
    wanted.key = 1000;
    printf("not there %d\n", bsearch(&wanted, pairs, 200, sizeof *pairs, by_key) == NULL);
    const char *words[] = {"pear", "apple", "fig", "", "banana", "apricot"};
    qsort(words, 6, sizeof *words, as_text);
    for (int i = 0; i < 6; i++)
        printf("%s,", words[i]);
    char letters[] = "the quick brown fox";
    qsort(letters, strlen(letters), 1, bytes);
    printf(" [%s]\n", letters);
    qsort(NULL, 0, 4, bytes);
    int same[64];
    for (int i = 0; i < 64; i++)
        same[i] = 5;
    qsort(same, 64, sizeof *same, bytes);
    printf("%d %d\n", same[0], same[63]);

    static const char *numbers[] = {"0", "-1", "  42abc", "+7", "9223372036854775807", "9223372036854775808",
                                    "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
                                    "18446744073709551616", "", "  ", "-", "x", "0x", "0x7fG", "077", "08", "1e3"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        whole(numbers[i], 10);
    for (size_t i = 10; i < sizeof numbers / sizeof *numbers; i++)
        whole(numbers[i], 0);
    whole("zz", 36);
    whole("1010201", 2);
    whole("-0XFf", 16);
    whole("777", 8);
    whole("5", 1);
    printf("atoi %d %d, labs %ld, div %d %d\n", atoi("  -12x"), atoi("none"), labs(-5), div(-7, 2).quot, div(-7, 2).rem);
    printf("imax %jd %jd\n", imaxabs(-9), strtoimax("-123", NULL, 10));

    static const char *reals[] = {"0", "-0", "1", "0.1", "3.14159265358979323846", "1e308", "1e309", "-1e309", "1e-320",
                                  "1e-400", "4.9e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
                                  "1.7976931348623157e308", "1.7976931348623159e308", "9007199254740993",
                                  "0.000000000000000000000000000000000000000000001", ".5", "5.", ".", "e5", "1e", "1e+",
                                  "inf", "-Infinity", "infinit", "nan", "0x1.8p1", "0x.8", "0x1p-1074", "0x", "0xp1",
                                  "  12.5e1xyz", "1.0000000596046448", "3.4028235677973366e38", "123456789012345678901234567890"};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        if (strcmp(reals[i], "nan"))
            real(reals[i]);
    printf("nan %d, atof %g\n", isnan(strtod("NaN(123)", NULL)) != 0, atof("2.5e-3"));
    return 0;
}
