/* A JSON parser and printer: builds a document, prints it, reads it back, changes it, and prints it again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { NOTHING, BOOLEAN, NUMBER, STRING, ARRAY, OBJECT };

struct value {
    enum kind kind;
    long number;
    char *text;
    char *name;
    struct value *first, *last, *next;
};

static struct value *make(enum kind kind)
{
    struct value *made = calloc(1, sizeof *made);
    if (!made)
        exit(3);
    made->kind = kind;
    return made;
}

static void append(struct value *parent, struct value *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

static void drop(struct value *value)
{
    for (struct value *child = value->first, *next; child; child = next) {
        next = child->next;
        drop(child);
    }
    free(value->text);
    free(value->name);
    free(value);
}

/* Reading. */

static const char *at;

static void fail(const char *what)
{
    printf("json: %s at \"%.10s\"\n", what, at);
    exit(2);
}

static void skip(void)
{
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
        at++;
}

static void need(char c)
{
    skip();
    if (*at != c)
        fail("unexpected character");
    at++;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    fail("no hexadecimal digit");
    return 0;
}

static char *string(void)
{
    need('"');
    size_t room = 16, used = 0;
    char *out = malloc(room);
    while (*at != '"') {
        char c = *at++;
        if (!c)
            fail("a string without an end");
        if (c == '\\') {
            switch (c = *at++) {
            case 'n': c = '\n'; break;
            case 't': c = '\t'; break;
            case 'u': {
                int code = 0;
                for (int i = 0; i < 4; i++)
                    code = code * 16 + hex(*at++);
                c = (char)code;
            }
            }
        }
        if (used + 2 > room)
            out = realloc(out, room *= 2);
        out[used++] = c;
    }
    at++;
    out[used] = 0;
    return out;
}

static struct value *read_value(void)
{
    skip();
    if (*at == '{' || *at == '[') {
        char close = *at == '{' ? '}' : ']';
        struct value *made = make(*at++ == '{' ? OBJECT : ARRAY);
        skip();
        while (*at != close) {
            char *name = 0;
            if (made->kind == OBJECT) {
                name = string();
                need(':');
            }
            struct value *child = read_value();
            child->name = name;
            append(made, child);
            skip();
            if (*at == ',') {
                at++;
                skip();
            } else if (*at != close) {
                fail("no comma");
            }
        }
        at++;
        return made;
    }
    if (*at == '"') {
        struct value *made = make(STRING);
        made->text = string();
        return made;
    }
    if (*at == '-' || (*at >= '0' && *at <= '9')) {
        int negative = *at == '-';
        struct value *made = make(NUMBER);
        for (at += negative; *at >= '0' && *at <= '9'; at++)
            made->number = made->number * 10 + (*at - '0');
        if (negative)
            made->number = -made->number;
        return made;
    }
    static const char *const words[] = {"null", "false", "true"};
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if (!strncmp(at, words[i], length)) {
            struct value *made = make(i ? BOOLEAN : NOTHING);
            made->number = i == 2;
            at += length;
            return made;
        }
    }
    fail("no value");
    return 0;
}

/* Writing. */

static char *out;
static size_t out_used, out_room;

static void put(char c)
{
    if (out_used + 1 >= out_room) {
        out_room = out_room ? out_room * 2 : 256;
        out = realloc(out, out_room);
    }
    out[out_used++] = c;
    out[out_used] = 0;
}

static void put_text(const char *text)
{
    while (*text)
        put(*text++);
}

static void put_string(const char *text)
{
    put('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            put('\\');
            put(*text);
        } else if ((unsigned char)*text < ' ') {
            char code[8];
            snprintf(code, sizeof code, "\\u%04x", *text);
            put_text(code);
        } else {
            put(*text);
        }
    }
    put('"');
}

static void write_value(const struct value *value)
{
    char digits[24];
    switch (value->kind) {
    case NOTHING: put_text("null"); break;
    case BOOLEAN: put_text(value->number ? "true" : "false"); break;
    case NUMBER:
        snprintf(digits, sizeof digits, "%ld", value->number);
        put_text(digits);
        break;
    case STRING: put_string(value->text); break;
    case ARRAY:
    case OBJECT:
        put(value->kind == ARRAY ? '[' : '{');
        for (const struct value *child = value->first; child; child = child->next) {
            if (child->name) {
                put_string(child->name);
                put(':');
            }
            write_value(child);
            if (child->next)
                put(',');
        }
        put(value->kind == ARRAY ? ']' : '}');
    }
}

/* The document: records with a few of everything. */

static unsigned seed = 12345;

static unsigned chance(unsigned below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static struct value *named(struct value *parent, const char *name, struct value *child)
{
    child->name = strdup(name);
    append(parent, child);
    return child;
}

static struct value *document(int records)
{
    static const char *const words[] = {"cage", "grate", "fork \"quoted\"", "line\nbreak", "back\\slash", "pipe"};
    struct value *root = make(OBJECT);
    named(root, "version", make(NUMBER))->number = 3;
    struct value *list = named(root, "records", make(ARRAY));
    for (int i = 0; i < records; i++) {
        struct value *record = make(OBJECT);
        append(list, record);
        named(record, "id", make(NUMBER))->number = i;
        named(record, "score", make(NUMBER))->number = (long)chance(2000000) - 1000000;
        named(record, "live", make(BOOLEAN))->number = chance(2);
        named(record, "title", make(STRING))->text = strdup(words[chance(6)]);
        named(record, "parent", make(NOTHING));
        struct value *tags = named(record, "tags", make(ARRAY));
        for (unsigned n = chance(4); n; n--) {
            struct value *tag = make(STRING);
            tag->text = strdup(words[chance(6)]);
            append(tags, tag);
        }
    }
    return root;
}

int main(int argc, char **argv)
{
    int records = argc > 1 ? 0 : 60;
    for (const char *digit = argc > 1 ? argv[1] : ""; *digit; digit++)
        records = records * 10 + (*digit - '0');
    struct value *root = document(records);
    write_value(root);
    char *first = out;
    size_t length = out_used;
    drop(root);
    out = 0;
    out_used = out_room = 0;
    at = first;
    root = read_value();
    write_value(root);
    unsigned sum = 0;
    for (size_t i = 0; i < out_used; i++)
        sum = sum * 31 + (unsigned char)out[i];
    printf("%zu bytes, the same again: %s, sum %08x\n", length, strcmp(first, out) ? "no" : "yes", sum);
    drop(root);
    free(first);
    free(out);
    return 0;
}
