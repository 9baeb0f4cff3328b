/* Kinds of wide characters: in the C locale those of ASCII. */
#include "../internal.h"

#include <ctype.h>
#include <string.h>
#include <wctype.h>

#define KIND(name) \
    int isw##name(wint_t c) { return c >= 0 && c < 128 && is##name(c); }
KIND(alnum) KIND(alpha) KIND(blank) KIND(cntrl) KIND(digit) KIND(graph)
KIND(lower) KIND(print) KIND(punct) KIND(space) KIND(upper) KIND(xdigit)

wint_t towlower(wint_t c) { return c >= 0 && c < 128 ? tolower(c) : c; }
wint_t towupper(wint_t c) { return c >= 0 && c < 128 ? toupper(c) : c; }

static const struct {
    const char *name;
    int (*test)(wint_t);
} kinds[] = {{"alnum", iswalnum}, {"alpha", iswalpha}, {"blank", iswblank}, {"cntrl", iswcntrl},
             {"digit", iswdigit}, {"graph", iswgraph}, {"lower", iswlower}, {"print", iswprint},
             {"punct", iswpunct}, {"space", iswspace}, {"upper", iswupper}, {"xdigit", iswxdigit}};

wctype_t wctype(const char *name)
{
    for (unsigned i = 0; i < LENGTH(kinds); i++)
        if (!strcmp(kinds[i].name, name))
            return i + 1;
    return 0;
}

int iswctype(wint_t c, wctype_t kind)
{
    return kind && kind <= LENGTH(kinds) && kinds[kind - 1].test(c);
}
