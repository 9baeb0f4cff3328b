/* FUNC-003: a small Lisp: a reader, an evaluator with closures and tail calls, a collector that marks and sweeps. */
#include <ctype.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { NIL, NUMBER, SYMBOL, PAIR, CLOSURE, BUILTIN } Kind;
typedef struct Cell Cell;
struct Cell {
    Kind kind;
    int marked;
    union {
        long number;
        const char *name;
        struct { Cell *first, *rest; } pair;
        struct { Cell *code, *scope; } closure;
        Cell *(*builtin)(Cell *arguments);
    } is;
};

enum { CELLS = 1500, ROOTS = 4000, NAMES = 200 };
static Cell cells[CELLS], nothing, *unused, *top, *symbols[NAMES], **roots[ROOTS];
static int many_symbols, many_roots, collections;
static jmp_buf wrong;

static void fail(const char *what, const char *name)
{
    printf("error: %s %s\n", what, name);
    longjmp(wrong, 1);
}

static void mark(Cell *c)
{
    while (c && !c->marked) {
        c->marked = 1;
        if (c->kind == PAIR)
            mark(c->is.pair.first), c = c->is.pair.rest;
        else if (c->kind == CLOSURE)
            mark(c->is.closure.code), c = c->is.closure.scope;
        else
            return;
    }
}

static void collect(void)
{
    mark(top);
    for (int i = 0; i < many_symbols; i++)
        mark(symbols[i]);
    for (int i = 0; i < many_roots; i++)
        mark(*roots[i]);
    unused = NULL;
    for (int i = 0; i < CELLS; i++) {
        if (!cells[i].marked)
            cells[i].is.pair.rest = unused, unused = &cells[i];
        cells[i].marked = 0;
    }
    nothing.marked = 0;
    collections++;
}

static void root(Cell **place)
{
    if (many_roots == ROOTS)
        fail("too deep", "");
    roots[many_roots++] = place;
}

static Cell *make(Kind kind)
{
    if (!unused)
        collect();
    if (!unused)
        fail("out of memory", "");
    Cell *c = unused;
    unused = c->is.pair.rest;
    c->kind = kind;
    c->is.pair.first = c->is.pair.rest = &nothing;
    return c;
}

static Cell *number(long value)
{
    Cell *c = make(NUMBER);
    c->is.number = value;
    return c;
}

static Cell *cons(Cell *first, Cell *rest)
{
    root(&first), root(&rest);
    Cell *c = make(PAIR);
    many_roots -= 2;
    c->is.pair.first = first, c->is.pair.rest = rest;
    return c;
}

static Cell *symbol(const char *name)
{
    for (int i = 0; i < many_symbols; i++)
        if (strcmp(symbols[i]->is.name, name) == 0)
            return symbols[i];
    Cell *c = make(SYMBOL);
    c->is.name = strdup(name);
    return symbols[many_symbols++] = c;
}

static Cell *first(Cell *c) { return c->kind == PAIR ? c->is.pair.first : (fail("not a pair", ""), c); }
static Cell *rest(Cell *c) { return c->kind == PAIR ? c->is.pair.rest : (fail("not a pair", ""), c); }
static long value(Cell *c) { return c->kind == NUMBER ? c->is.number : (fail("not a number", ""), 0); }

static const char *text;

static Cell *parse(void)
{
    while (isspace((unsigned char)*text))
        text++;
    if (*text == '\'') {
        text++;
        Cell *quoted = cons(parse(), &nothing);
        return cons(symbol("quote"), quoted);
    }
    if (*text == '(') {
        Cell *list = &nothing, *last = NULL;
        root(&list);
        for (text++;;) {
            while (isspace((unsigned char)*text))
                text++;
            if (*text == ')' || !*text)
                break;
            Cell *one = cons(parse(), &nothing);
            if (last)
                last->is.pair.rest = one;
            else
                list = one;
            last = one;
        }
        if (*text)
            text++;
        many_roots--;
        return list;
    }
    char word[64];
    size_t length = strcspn(text, " \n\t()'");
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    text += length;
    char *end;
    long n = strtol(word, &end, 10);
    return *end || !*word ? symbol(word) : number(n);
}

static void show(Cell *c)
{
    switch (c->kind) {
    case NIL: printf("()"); break;
    case NUMBER: printf("%ld", c->is.number); break;
    case SYMBOL: printf("%s", c->is.name); break;
    case CLOSURE: printf("<function>"); break;
    case BUILTIN: printf("<builtin>"); break;
    case PAIR:
        for (putchar('('); c->kind == PAIR; c = c->is.pair.rest) {
            show(c->is.pair.first);
            if (c->is.pair.rest->kind == PAIR)
                putchar(' ');
        }
        putchar(')');
    }
}

static Cell *find(Cell *name, Cell *scope)
{
    for (; scope->kind == PAIR; scope = scope->is.pair.rest)
        if (scope->is.pair.first->is.pair.first == name)
            return scope->is.pair.first;
    for (scope = top; scope->kind == PAIR; scope = scope->is.pair.rest)
        if (scope->is.pair.first->is.pair.first == name)
            return scope->is.pair.first;
    fail("unknown", name->is.name);
    return NULL;
}

static Cell *eval(Cell *code, Cell *scope)
{
    int before = many_roots;
    Cell *function = &nothing, *arguments = &nothing;
    root(&code), root(&scope), root(&function), root(&arguments);
    for (;;) {
        if (code->kind == SYMBOL) {
            code = rest(find(code, scope));
            break;
        }
        if (code->kind != PAIR)
            break;
        Cell *head = first(code);
        const char *word = head->kind == SYMBOL ? head->is.name : "";
        if (!strcmp(word, "quote")) {
            code = first(rest(code));
            break;
        }
        if (!strcmp(word, "if")) {
            Cell *said = eval(first(rest(code)), scope);
            code = said->kind != NIL ? first(rest(rest(code))) : first(rest(rest(rest(code))));
            continue;
        }
        if (!strcmp(word, "lambda")) {
            Cell *made = make(CLOSURE);
            made->is.closure.code = rest(code), made->is.closure.scope = scope;
            code = made;
            break;
        }
        if (!strcmp(word, "define")) {
            function = eval(first(rest(rest(code))), scope);
            function = cons(first(rest(code)), function);
            top = cons(function, top);
            code = first(rest(code));
            break;
        }
        function = eval(head, scope);
        arguments = &nothing;
        Cell *last = NULL, *each = rest(code);
        for (; each->kind == PAIR; each = each->is.pair.rest) {
            Cell *one = cons(eval(each->is.pair.first, scope), &nothing);
            if (last)
                last->is.pair.rest = one;
            else
                arguments = one;
            last = one;
        }
        if (function->kind == BUILTIN) {
            code = function->is.builtin(arguments);
            break;
        }
        if (function->kind != CLOSURE)
            fail("not a function", "");
        scope = function->is.closure.scope;
        Cell *names = first(function->is.closure.code);
        for (each = arguments; names->kind == PAIR; names = names->is.pair.rest, each = rest(each)) {
            Cell *bound = cons(names->is.pair.first, first(each));
            scope = cons(bound, scope);
        }
        code = first(rest(function->is.closure.code));
    }
    many_roots = before;
    return code;
}

static Cell *truth(int holds) { return holds ? number(1) : &nothing; }
static Cell *b_add(Cell *a) { long n = 0; for (; a->kind == PAIR; a = rest(a)) n += value(first(a)); return number(n); }
static Cell *b_mul(Cell *a) { long n = 1; for (; a->kind == PAIR; a = rest(a)) n *= value(first(a)); return number(n); }
static Cell *b_sub(Cell *a) { return number(value(first(a)) - value(first(rest(a)))); }
static Cell *b_mod(Cell *a) { return number(value(first(a)) % value(first(rest(a)))); }
static Cell *b_less(Cell *a) { return truth(value(first(a)) < value(first(rest(a)))); }
static Cell *b_same(Cell *a) { return truth(value(first(a)) == value(first(rest(a)))); }
static Cell *b_cons(Cell *a) { return cons(first(a), first(rest(a))); }
static Cell *b_first(Cell *a) { return first(first(a)); }
static Cell *b_rest(Cell *a) { return rest(first(a)); }
static Cell *b_empty(Cell *a) { return truth(first(a)->kind == NIL); }

static const struct { const char *name; Cell *(*does)(Cell *); } builtins[] = {
    {"+", b_add}, {"*", b_mul}, {"-", b_sub}, {"%", b_mod}, {"<", b_less}, {"=", b_same},
    {"cons", b_cons}, {"first", b_first}, {"rest", b_rest}, {"empty", b_empty},
};

int main(void)
{
    static char line[512];
    top = &nothing;
    collect();
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
        Cell *name = symbol(builtins[i].name), *c = make(BUILTIN);
        c->is.builtin = builtins[i].does;
        c = cons(name, c);
        top = cons(c, top);
    }
    while (fgets(line, sizeof line, stdin)) {
        many_roots = 0;
        if (setjmp(wrong))
            continue;
        text = line;
        Cell *code = parse();
        show(eval(code, &nothing));
        putchar('\n');
    }
    printf("collected %s\n", collections > 3 ? "often" : "seldom");
    return 0;
}
