/* Formatted input: characters are taken one by one from a stream or a string, one of them can be given back. */
#include "file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct source {
    FILE *file;            /* or NULL: a string */
    const char *text;
    int taken;             /* characters used so far */
};

static int take(struct source *source)
{
    int c = source->file ? getc_unlocked(source->file) : *source->text ? (unsigned char)*source->text++ : EOF;
    source->taken += c != EOF;
    return c;
}

static void give_back(struct source *source, int c)
{
    if (c == EOF)
        return;
    source->taken--;
    if (source->file)
        *--source->file->position = c; /* it is still in the buffer, or in the room before it */
    else
        source->text--;
}

static void skip_space(struct source *source)
{
    int c;
    while (isspace(c = take(source)))
        ;
    give_back(source, c);
}

#define NUMBER_SIZE 512

/* The longest beginning of an integer, as text for strtoull; its length. */
static int read_integer(struct source *source, char *text, int width, int *base)
{
    int count = 0, c = take(source), allowed = width < NUMBER_SIZE - 1 ? width : NUMBER_SIZE - 1, digits = 0;
    if ((c == '+' || c == '-') && count < allowed) {
        text[count++] = c;
        c = take(source);
    }
    if (c == '0' && (*base == 0 || *base == 16) && count < allowed) {
        text[count++] = c;
        digits = 1;
        c = take(source);
        if ((c | 32) == 'x' && count < allowed) {
            text[count++] = c;
            *base = 16;
            c = take(source);
            digits = 0;
        } else if (*base == 0) {
            *base = 8;
        }
    }
    if (*base == 0)
        *base = 10;
    while (count < allowed && (isdigit(c) ? c - '0' < *base : *base == 16 && isxdigit(c))) {
        text[count++] = c;
        digits = 1;
        c = take(source);
    }
    give_back(source, c);
    text[count] = 0;
    return digits ? count : 0;
}

/* The longest beginning of a floating-point number. */
static int read_float(struct source *source, char *text, int width)
{
    int count = 0, c = take(source), allowed = width < NUMBER_SIZE - 1 ? width : NUMBER_SIZE - 1, digits = 0, hex = 0;
#define KEEP (text[count++] = c, c = take(source))
    if ((c == '+' || c == '-') && count < allowed)
        KEEP;
    if (isalpha(c) && (c | 32) != 'e') { /* inf, infinity, nan */
        static const char *const words[] = {"infinity", "nan"};
        for (unsigned w = 0; w < LENGTH(words); w++)
            for (const char *at = words[w]; *at && (c | 32) == *at && count < allowed; at++, digits++)
                KEEP;
        give_back(source, c);
        text[count] = 0;
        return digits == 3 || digits == 8 ? count : 0;
    }
    if (c == '0' && count < allowed) {
        KEEP;
        digits = 1;
        if ((c | 32) == 'x' && count < allowed) {
            KEEP;
            hex = 1;
            digits = 0;
        }
    }
    for (int point = 0; count < allowed && (isdigit(c) || (hex && isxdigit(c)) || (c == '.' && !point));) {
        if (c == '.')
            point = 1;
        else
            digits = 1;
        KEEP;
    }
    if (digits && (c | 32) == (hex ? 'p' : 'e') && count < allowed) {
        KEEP;
        digits = 0;
        if ((c == '+' || c == '-') && count < allowed)
            KEEP;
        while (isdigit(c) && count < allowed) {
            digits = 1;
            KEEP;
        }
    }
#undef KEEP
    give_back(source, c);
    text[count] = 0;
    return digits ? count : 0;
}

static void store_integer(void *to, int length, unsigned long long value)
{
    switch (length) {
    case 'H': *(char *)to = value; break;
    case 'h': *(short *)to = value; break;
    case 'q': case 'j': case 'L': *(long long *)to = value; break;
    default: *(int *)to = value;
    }
}

/* The set after '[': which bytes belong to it; the place behind ']'. */
static const char *read_set(const char *at, unsigned char *member)
{
    int inverted = *at == '^';
    at += inverted;
    memset(member, inverted, 256);
    const char *first = at;
    for (; *at && (*at != ']' || at == first); at++) {
        unsigned from = (unsigned char)*at, to = from;
        if (at[1] == '-' && at[2] && at[2] != ']') {
            to = (unsigned char)at[2];
            at += 2;
        }
        for (unsigned c = from; c <= to; c++)
            member[c] = !inverted;
    }
    return *at ? at + 1 : at;
}

/* %c %s %[: as many bytes as belong to the set, into memory of the caller's or (with m) into new memory. */
static int read_text(struct source *source, const unsigned char *member, int width, char *to, char **allocated)
{
    int count = 0, room = 0, c;
    char *own = 0;
    while (count < width && (c = take(source)) != EOF) {
        if (member && !member[c]) {
            give_back(source, c);
            break;
        }
        if (allocated && count + 1 >= room) {
            char *more = realloc(own, room = 2 * room + 16);
            if (!more) {
                free(own);
                return 0;
            }
            to = own = more;
        }
        if (to)
            to[count] = c;
        count++;
    }
    if (allocated)
        *allocated = own;
    return count;
}

struct request {
    int suppressed, allocate, width, length, conversion;
};

static const char *read_request(const char *at, struct request *r)
{
    *r = (struct request){0};
    if (*at == '*') {
        r->suppressed = 1;
        at++;
    }
    while (isdigit((unsigned char)*at))
        r->width = r->width * 10 + *at++ - '0';
    if (*at == 'm') {
        r->allocate = 1;
        at++;
    }
    if (*at == 'h')
        r->length = *++at == 'h' ? (at++, 'H') : 'h';
    else if (*at == 'l')
        r->length = *++at == 'l' ? (at++, 'q') : 'l';
    else if (*at && strchr("jztLq", *at))
        r->length = *at++;
    r->conversion = *at;
    return *at ? at + 1 : at;
}

/* One number; 1 stored or skipped, 0 no match, EOF at the end of input. */
static int convert_number(struct source *source, const struct request *r, void *to)
{
    char text[NUMBER_SIZE];
    int width = r->width ? r->width : NUMBER_SIZE, base = 10;
    int c = take(source);
    give_back(source, c);
    if (c == EOF)
        return EOF;
    switch (r->conversion) {
    case 'i': base = 0; break;
    case 'o': base = 8; break;
    case 'x': case 'X': case 'p': base = 16; break;
    case 'd': case 'u': break;
    default:
        if (!read_float(source, text, width))
            return 0;
        if (r->suppressed)
            return 1;
        if (r->length == 'L')
            *(long double *)to = strtold(text, 0);
        else if (r->length == 'l')
            *(double *)to = strtod(text, 0);
        else
            *(float *)to = strtof(text, 0);
        return 1;
    }
    if (!read_integer(source, text, width, &base))
        return 0;
    if (r->suppressed)
        return 1;
    int wide = r->length == 'q' || r->length == 'j' || r->length == 'L';
    if (r->conversion == 'd' || r->conversion == 'i')
        store_integer(to, r->length, wide ? strtoll(text, 0, base) : strtol(text, 0, base));
    else
        store_integer(to, r->length, wide ? strtoull(text, 0, base) : strtoul(text, 0, base));
    return 1;
}

static int scan(struct source *source, const char *format, va_list args)
{
    int stored = 0;
    for (const char *at = format; *at;) {
        if (isspace((unsigned char)*at)) {
            skip_space(source);
            at++;
            continue;
        }
        if (*at != '%' || at[1] == '%') {
            if (*at == '%') {
                at++;
                skip_space(source);
            }
            int c = take(source);
            if (c != (unsigned char)*at) {
                give_back(source, c);
                return c == EOF && !stored ? EOF : stored;
            }
            at++;
            continue;
        }
        struct request r;
        unsigned char member[256];
        at = read_request(at + 1, &r);
        if (r.conversion == '[')
            at = read_set(at, member);
        void *to = r.suppressed ? 0 : va_arg(args, void *);
        if (r.conversion == 'n') {
            if (to)
                store_integer(to, r.length, source->taken);
            continue;
        }
        if (r.conversion != 'c' && r.conversion != '[')
            skip_space(source);
        int result;
        if (r.conversion == 's' || r.conversion == 'c' || r.conversion == '[') {
            if (r.conversion == 's')
                for (int c = 0; c < 256; c++)
                    member[c] = !isspace(c);
            int whole = r.conversion == 'c', width = r.width ? r.width : whole ? 1 : 0x7fffffff;
            char *fresh = 0, **slot = r.allocate && to ? &fresh : 0;
            int first = take(source);
            give_back(source, first);
            int count = read_text(source, whole ? 0 : member, width, slot ? 0 : to, slot);
            result = count ? (whole && count < width ? (first == EOF ? EOF : 0) : 1) : first == EOF ? EOF : 0;
            if (slot)
                *(char **)to = fresh;
            char *end = slot ? fresh : to;
            if (end && result == 1 && !whole)
                end[count] = 0;
        } else if (r.conversion && strchr("diouxXpaAeEfFgG", r.conversion)) {
            result = convert_number(source, &r, to);
        } else {
            return stored;
        }
        if (result != 1)
            return result == EOF && !stored ? EOF : stored;
        stored += !r.suppressed;
    }
    return stored;
}

int vfscanf(FILE *restrict file, const char *restrict format, va_list args)
{
    struct source source = {file, 0, 0};
    __lind_file_lock(file);
    int result = scan(&source, format, args);
    __lind_file_unlock(file);
    return result;
}

int vsscanf(const char *restrict text, const char *restrict format, va_list args)
{
    struct source source = {0, text, 0};
    return scan(&source, format, args);
}

int vscanf(const char *restrict format, va_list args)
{
    return vfscanf(stdin, format, args);
}

int scanf(const char *restrict format, ...)
{
    WITH_ARGUMENTS(vfscanf(stdin, format, args))
}

int fscanf(FILE *restrict file, const char *restrict format, ...)
{
    WITH_ARGUMENTS(vfscanf(file, format, args))
}

int sscanf(const char *restrict text, const char *restrict format, ...)
{
    WITH_ARGUMENTS(vsscanf(text, format, args))
}
