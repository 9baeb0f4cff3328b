/* Byte strings and characters. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static const char *at(const char *base, const char *found)
{
    static char text[4][16];
    static int turn;
    char *to = text[turn++ % 4];
    snprintf(to, 16, found ? "%d" : "NULL", (int)(found - base));
    return to;
}

int main(void)
{
    char buffer[64], other[64];
    const char *s = "hello, world";
    printf("%zu %zu %zu\n", strlen(""), strlen(s), strnlen(s, 5));
    printf("%s %s %s %s\n", at(s, strchr(s, 'o')), at(s, strrchr(s, 'o')), at(s, strchr(s, 'z')), at(s, strchr(s, 0)));
    printf("%s %s %s\n", at(s, strstr(s, "wor")), at(s, strstr(s, "")), at(s, strstr(s, "word")));
    printf("%s %s\n", at(s, memchr(s, 'w', 7)), at(s, memchr(s, 'w', 8)));
    printf("%zu %zu %s\n", strspn(s, "leh"), strcspn(s, ", "), at(s, strpbrk(s, "xyzw")));
    printf("%d %d %d %d\n", sign(strcmp("a", "b")), sign(strcmp("b", "a")), sign(strcmp("a", "a")), sign(strcmp("a", "ab")));
    printf("%d %d %d\n", sign(strncmp("abc", "abd", 2)), sign(strncmp("abc", "abd", 3)), sign(strcmp("\xff", "a")));
    printf("%d %d %d\n", sign(memcmp("a\0b", "a\0c", 3)), strcasecmp("HeLLo", "hEllO"), sign(strncasecmp("abX", "ABy", 3)));
    printf("%s", strcpy(buffer, "copy"));
    printf("%s\n", strcat(buffer, " cat"));
    strncpy(buffer, "pad", 8);
    printf("%s %d\n", buffer, memcmp(buffer, "pad\0\0\0\0", 8));
    strncpy(buffer, "too long for it", 3);
    printf("%.6s\n", buffer);
    strcpy(buffer, "ab");
    printf("%s\n", strncat(buffer, "cdefgh", 3));
    printf("%d\n", (int)(stpcpy(buffer, "end") - buffer));
    memset(buffer, '-', 20);
    buffer[20] = 0;
    memmove(buffer + 3, "0123456789", 10);
    memmove(buffer + 5, buffer + 3, 10);
    printf("%s\n", buffer);
    memmove(buffer, buffer + 5, 10);
    printf("%s\n", buffer);
    printf("%d\n", (int)((char *)mempcpy(buffer, "xyz", 3) - buffer));
    printf("%s\n", at("a,b;c", memccpy(other, "a,b;c", ';', 5) ? "a,b;c" : NULL));

    strcpy(buffer, "  one, two;three,,four ");
    for (char *word = strtok(buffer, " ,;"); word; word = strtok(NULL, " ,;"))
        printf("[%s]", word);
    strcpy(buffer, "a::b:");
    char *rest = buffer, *save, *piece;
    while ((piece = strsep(&rest, ":")))
        printf("(%s)", piece);
    strcpy(buffer, "x y");
    printf("%s", strtok_r(buffer, " ", &save));
    printf("%s\n", strtok_r(NULL, " ", &save));

    char *copy = strdup(s), *part = strndup(s, 4);
    printf("%s %s %d\n", copy, part, copy != s);
    free(copy);
    free(part);
    printf("%s|%s|%s\n", strerror(0), strerror(ENOENT), strerror(EINVAL));
    printf("%zu %s\n", strxfrm(buffer, "same", sizeof buffer), buffer);
    printf("%d\n", strcoll("a", "a"));
    printf("%s %s\n", at(s, memrchr(s, 'l', 12)), at(s, memmem(s, 12, "lo", 2)));
    printf("%s %s\n", at(s, strcasestr(s, "WORLD")), at(s, strchrnul(s, 'q')));
    printf("%d %d\n", ffs(0x50), sign(strverscmp("file9", "file10")));

    for (int kind = 0; kind < 12; kind++) {
        static int (*const test[])(int) = {isalnum, isalpha, iscntrl, isdigit, isgraph, islower,
                                           isprint, ispunct, isspace, isupper, isxdigit, isblank};
        int count = 0, sum = 0;
        for (int c = 0; c < 128; c++)
            if (test[kind](c)) {
                count++;
                sum += c;
            }
        printf("%d:%d ", count, sum);
    }
    printf("%c%c%c%c\n", toupper('q'), tolower('Q'), toupper('1'), tolower('['));
    return 0;
}
