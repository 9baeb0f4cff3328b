/* Formatted output: reading the format, and every conversion but those of floating-point numbers. */
#include "file.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <wchar.h>

#define POSITIONS 32             /* how many arguments a format with %n$ can have */

union value {
    int64_t number;
    double real;
    struct {
        uint64_t low, high;
    } quad;
    const void *pointer;
};

struct arguments {
    va_list list;
    int positional;
    union value values[POSITIONS];
};

static void emit(struct sink *sink, const char *text, size_t size)
{
    if (size)
        sink->emit(sink, text, size);
    sink->total += size;
}

void __lind_emit_padding(struct sink *sink, int byte, long count)
{
    char block[32];
    memset(block, byte, sizeof block);
    for (; count > 0; count -= sizeof block)
        emit(sink, block, count < (long)sizeof block ? (size_t)count : sizeof block);
}

static int is_float(int conversion)
{
    return strchr("aAeEfFgG", conversion) != 0;
}

/* Take the next argument, as wide as the specification says; integers arrive sign- or zero-extended. */
static void fetch(union value *value, struct arguments *args, const struct spec *spec)
{
    int wide = spec->length == 'q' || spec->length == 'j' || spec->length == 'L';
    switch (spec->conversion) {
    case 'd': case 'i':
        value->number = wide ? va_arg(args->list, long long) : va_arg(args->list, int);
        if (spec->length == 'h')
            value->number = (short)value->number;
        else if (spec->length == 'H')
            value->number = (signed char)value->number;
        break;
    case 'o': case 'u': case 'x': case 'X':
        value->number = wide ? va_arg(args->list, long long) : va_arg(args->list, unsigned);
        if (spec->length == 'h')
            value->number = (unsigned short)value->number;
        else if (spec->length == 'H')
            value->number = (unsigned char)value->number;
        break;
    case 'c':
        value->number = va_arg(args->list, int);
        break;
    case 's': case 'p': case 'n':
        value->pointer = va_arg(args->list, void *);
        break;
    default:
        if (!is_float(spec->conversion))
            break;
        if (spec->length == 'L') {
            union {
                long double real;
                uint64_t words[2];
            } bits = {va_arg(args->list, long double)};
            value->quad.low = bits.words[0];
            value->quad.high = bits.words[1];
        } else {
            value->real = va_arg(args->list, double);
        }
    }
}

static int read_number(const char **at)
{
    int number = 0;
    while ((unsigned)**at - '0' < 10) {
        if (number > (INT_MAX - 9) / 10)
            return -1;
        number = number * 10 + *(*at)++ - '0';
    }
    return number;
}

/* A number, or * with its argument (or *m$). `given` tells whether there was anything. */
static int read_size(const char **at, struct arguments *args, int *given)
{
    *given = 1;
    if (**at == '*') {
        ++*at;
        if ((unsigned)**at - '0' < 10) {
            int position = read_number(at);
            if (**at == '$')
                ++*at;
            return position >= 1 && position <= POSITIONS ? (int)args->values[position - 1].number : 0;
        }
        return va_arg(args->list, int);
    }
    *given = (unsigned)**at - '0' < 10;
    return read_number(at);
}

/* The specification after '%'. The position of the argument is stored when it is given as n$. */
static const char *read_spec(const char *at, struct spec *spec, struct arguments *args, int *position)
{
    static const char flag_letters[] = "-+ #0'";
    *spec = (struct spec){.precision = -1};
    *position = 0;
    const char *ahead = at;
    int number = read_number(&ahead);
    if (*ahead == '$' && number > 0) {
        *position = number;
        at = ahead + 1;
    }
    for (const char *found; *at && (found = strchr(flag_letters, *at)); at++)
        spec->flags |= 1u << (found - flag_letters);
    int given;
    spec->width = read_size(&at, args, &given);
    if (spec->width < 0) {
        spec->flags |= LEFT;
        spec->width = -spec->width;
    }
    if (*at == '.') {
        at++;
        spec->precision = read_size(&at, args, &given);
        if (spec->precision < 0)
            spec->precision = -1;
    }
    switch (*at) {
    case 'h':
        spec->length = *++at == 'h' ? (at++, 'H') : 'h';
        break;
    case 'l':
        spec->length = *++at == 'l' ? (at++, 'q') : 'l';
        break;
    case 'j': case 'z': case 't': case 'L': case 'q':
        spec->length = *at++;
    }
    spec->conversion = *at;
    return *at ? at + 1 : at;
}

/* A first walk over a format with positions: which type has which argument; then they are taken in order. */
static void collect(const char *format, struct arguments *args)
{
    struct spec specs[POSITIONS], spec;
    memset(specs, 0, sizeof specs);
    int last = 0;
    for (const char *at = format; *at;) {
        if (*at++ != '%')
            continue;
        for (const char *star = at; *star && !strchr("diouxXcspnaAeEfFgGm%", *star); star++)
            if (*star == '*') { /* a width or precision from a position is an int */
                star++;
                int position = read_number(&star);
                if (position >= 1 && position <= POSITIONS) {
                    specs[position - 1].conversion = 'd';
                    last = position > last ? position : last;
                }
                if (*star != '$')
                    star--;
            }
        int position;
        at = read_spec(at, &spec, args, &position);
        if (position >= 1 && position <= POSITIONS) {
            specs[position - 1] = spec;
            last = position > last ? position : last;
        }
    }
    for (int i = 0; i < last; i++) {
        if (!specs[i].conversion)
            specs[i].conversion = 'd';
        fetch(&args->values[i], args, &specs[i]);
    }
}

/* prefix, zeros up to the precision or width, digits, all padded to the width */
static void emit_number(struct sink *sink, const struct spec *spec, const char *prefix, const char *digits, int count)
{
    int prefix_size = strlen(prefix);
    int zeros = spec->precision > count ? spec->precision - count : 0;
    if (spec->precision < 0 && (spec->flags & (ZERO | LEFT)) == ZERO && spec->width > prefix_size + count)
        zeros = spec->width - prefix_size - count;
    long padding = (long)spec->width - prefix_size - zeros - count;
    if (!(spec->flags & LEFT))
        __lind_emit_padding(sink, ' ', padding);
    emit(sink, prefix, prefix_size);
    __lind_emit_padding(sink, '0', zeros);
    emit(sink, digits, count);
    if (spec->flags & LEFT)
        __lind_emit_padding(sink, ' ', padding);
}

static void format_integer(struct sink *sink, struct spec *spec, int64_t number)
{
    char text[24], *at = text + sizeof text;
    const char *prefix = "";
    uint64_t value = number;
    int base = 10, letter = 'a' - 10;
    switch (spec->conversion) {
    case 'd': case 'i':
        prefix = number < 0 ? "-" : spec->flags & PLUS ? "+" : spec->flags & SPACE ? " " : "";
        value = number < 0 ? -(uint64_t)number : (uint64_t)number;
        break;
    case 'o':
        base = 8;
        break;
    case 'X':
        letter = 'A' - 10; /* fall through */
    case 'x': case 'p':
        base = 16;
        if (spec->flags & ALTERNATE && value)
            prefix = spec->conversion == 'X' ? "0X" : "0x";
    }
    for (; value >> 32; value /= base) {
        int digit = value % base;
        *--at = digit < 10 ? '0' + digit : letter + digit;
    }
    for (uint32_t rest = value; rest; rest /= base) {
        int digit = rest % base;
        *--at = digit < 10 ? '0' + digit : letter + digit;
    }
    if (number == 0 && spec->precision != 0)
        *--at = '0';
    int count = text + sizeof text - at;
    if (spec->conversion == 'o' && spec->flags & ALTERNATE && spec->precision <= count && (!count || *at != '0'))
        *--at = '0', count++;
    emit_number(sink, spec, prefix, at, count);
}

static void emit_padded(struct sink *sink, const struct spec *spec, const char *text, size_t size)
{
    long padding = (long)spec->width - (long)size;
    if (!(spec->flags & LEFT))
        __lind_emit_padding(sink, ' ', padding);
    emit(sink, text, size);
    if (spec->flags & LEFT)
        __lind_emit_padding(sink, ' ', padding);
}

/* Wide characters become UTF-8; a precision counts bytes and never cuts a character. */
static void format_wide(struct sink *sink, const struct spec *spec, const wchar_t *text)
{
    char bytes[8];
    size_t size = 0;
    const wchar_t *end = text;
    for (; *end; end++) {
        size_t more = wcrtomb(bytes, *end, 0);
        if (more == (size_t)-1 || (spec->precision >= 0 && size + more > (size_t)spec->precision))
            break;
        size += more;
    }
    long padding = (long)spec->width - (long)size;
    if (!(spec->flags & LEFT))
        __lind_emit_padding(sink, ' ', padding);
    for (; text != end; text++)
        emit(sink, bytes, wcrtomb(bytes, *text, 0));
    if (spec->flags & LEFT)
        __lind_emit_padding(sink, ' ', padding);
}

static void store_count(const struct spec *spec, void *to, size_t total)
{
    switch (spec->length) {
    case 'H': *(signed char *)to = total; break;
    case 'h': *(short *)to = total; break;
    case 'q': case 'j': *(long long *)to = total; break;
    default: *(int *)to = total;
    }
}

static void convert(struct sink *sink, struct spec *spec, const union value *value)
{
    switch (spec->conversion) {
    case 'd': case 'i': case 'o': case 'u': case 'x': case 'X':
        format_integer(sink, spec, value->number);
        break;
    case 'p':
        if (!value->pointer) {
            emit_padded(sink, spec, "(nil)", 5);
        } else {
            spec->flags |= ALTERNATE;
            format_integer(sink, spec, (uintptr_t)value->pointer);
        }
        break;
    case 'c': {
        char byte = value->number;
        wchar_t wide[2] = {value->number};
        if (spec->length == 'l' && value->number)
            format_wide(sink, spec, wide);
        else
            emit_padded(sink, spec, &byte, 1);
        break;
    }
    case 's': {
        const char *text = value->pointer;
        if (!text)
            text = spec->precision >= 0 && spec->precision < 6 ? "" : "(null)";
        else if (spec->length == 'l') {
            format_wide(sink, spec, value->pointer);
            break;
        }
        emit_padded(sink, spec, text, spec->precision < 0 ? strlen(text) : strnlen(text, spec->precision));
        break;
    }
    case 'm': {
        const char *text = strerror(errno);
        emit_padded(sink, spec, text, spec->precision < 0 ? strlen(text) : strnlen(text, spec->precision));
        break;
    }
    case 'n':
        store_count(spec, (void *)value->pointer, sink->total);
        break;
    case '%':
        emit(sink, "%", 1);
        break;
    default:
        if (is_float(spec->conversion) && spec->length == 'L') {
            __lind_format_float(sink, spec, value->quad.high, value->quad.low, 1);
        } else if (is_float(spec->conversion)) {
            union {
                double real;
                uint64_t word;
            } bits = {value->real};
            __lind_format_float(sink, spec, 0, bits.word, 0);
        }
    }
}

int __lind_format(struct sink *sink, const char *format, va_list list)
{
    struct arguments args;
    va_copy(args.list, list);
    const char *dollar = strchr(format, '$');
    args.positional = dollar && dollar != format && (unsigned)dollar[-1] - '0' < 10;
    if (args.positional)
        collect(format, &args);
    for (const char *at = format; *at;) {
        const char *percent = strchrnul(at, '%');
        emit(sink, at, percent - at);
        if (!*percent)
            break;
        struct spec spec;
        int position;
        union value value = {0};
        at = read_spec(percent + 1, &spec, &args, &position);
        if (!spec.conversion)
            break;
        if (position >= 1 && position <= POSITIONS)
            value = args.values[position - 1];
        else
            fetch(&value, &args, &spec);
        convert(sink, &spec, &value);
    }
    va_end(args.list);
    if (sink->total > INT_MAX) {
        errno = EOVERFLOW;
        return -1;
    }
    return sink->total;
}
