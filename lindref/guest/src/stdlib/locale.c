/* There is one locale, under three names. */
#include <limits.h>
#include <locale.h>
#include <string.h>

char *setlocale(int category, const char *name)
{
    static char only[] = "C";
    (void)category;
    return !name || !*name || !strcmp(name, "C") || !strcmp(name, "POSIX") ? only : 0;
}

struct lconv *localeconv(void)
{
    static char empty[] = "", point[] = ".";
    static struct lconv conventions;
    memset(&conventions, CHAR_MAX, sizeof conventions);
    conventions.decimal_point = point;
    conventions.thousands_sep = conventions.grouping = conventions.int_curr_symbol = conventions.currency_symbol =
        conventions.mon_decimal_point = conventions.mon_thousands_sep = conventions.mon_grouping =
            conventions.positive_sign = conventions.negative_sign = empty;
    return &conventions;
}
