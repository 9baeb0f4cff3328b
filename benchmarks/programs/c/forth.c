/* A small Forth: words compiled to threaded code, run by a switch; its program is a sieve of prime numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum op {
    EXIT, LITERAL, CALL, BRANCH, ZBRANCH, DUP, DROP, SWAP, OVER, ROT, ADD, SUB, MUL, LESS, EQUAL, ZEROEQ, FETCH, STORE,
    CFETCH, CSTORE, TOR, FROMR, RFETCH, DOT, COLON, SEMICOLON, IF, ELSE, THEN, BEGIN, UNTIL, WHILE, REPEAT
};

struct word {
    char name[16];
    int op;    /* what it does: a primitive, or CALL */
    int start; /* of its code */
    int immediate;
};

static struct word words[128];
static int n_words;
static int code[4096];
static int here;
static int stack[256], sp;
static int returns[256], rp;
static unsigned char memory[65536];

static void define(const char *name, int op, int immediate)
{
    struct word *word = &words[n_words++];
    strncpy(word->name, name, sizeof word->name - 1);
    word->op = op;
    word->immediate = immediate;
}

static struct word *find(const char *name)
{
    for (int i = n_words - 1; i >= 0; i--)
        if (!strcmp(words[i].name, name))
            return &words[i];
    return 0;
}

static int run(int pc)
{
    int base = rp, steps = 0;
    for (;;) {
        steps++;
        switch (code[pc++]) {
        case EXIT:
            if (rp == base)
                return steps;
            pc = returns[--rp];
            break;
        case LITERAL: stack[sp++] = code[pc++]; break;
        case CALL:
            returns[rp++] = pc + 1;
            pc = code[pc];
            break;
        case BRANCH: pc = code[pc]; break;
        case ZBRANCH: pc = stack[--sp] ? pc + 1 : code[pc]; break;
        case DUP: stack[sp] = stack[sp - 1]; sp++; break;
        case DROP: sp--; break;
        case SWAP: {
            int top = stack[sp - 1];
            stack[sp - 1] = stack[sp - 2];
            stack[sp - 2] = top;
            break;
        }
        case OVER: stack[sp] = stack[sp - 2]; sp++; break;
        case ROT: {
            int third = stack[sp - 3];
            stack[sp - 3] = stack[sp - 2];
            stack[sp - 2] = stack[sp - 1];
            stack[sp - 1] = third;
            break;
        }
        case ADD: sp--; stack[sp - 1] += stack[sp]; break;
        case SUB: sp--; stack[sp - 1] -= stack[sp]; break;
        case MUL: sp--; stack[sp - 1] *= stack[sp]; break;
        case LESS: sp--; stack[sp - 1] = -(stack[sp - 1] < stack[sp]); break;
        case EQUAL: sp--; stack[sp - 1] = -(stack[sp - 1] == stack[sp]); break;
        case ZEROEQ: stack[sp - 1] = -!stack[sp - 1]; break;
        case FETCH: memcpy(&stack[sp - 1], memory + stack[sp - 1], 4); break;
        case STORE: sp -= 2; memcpy(memory + stack[sp + 1], &stack[sp], 4); break;
        case CFETCH: stack[sp - 1] = memory[stack[sp - 1]]; break;
        case CSTORE: sp -= 2; memory[stack[sp + 1]] = (unsigned char)stack[sp]; break;
        case TOR: returns[rp++] = stack[--sp]; break;
        case FROMR: stack[sp++] = returns[--rp]; break;
        case RFETCH: stack[sp++] = returns[rp - 1]; break;
        case DOT: printf("%d ", stack[--sp]); break;
        default: printf("forth: a bad instruction\n"); exit(2);
        }
    }
}

static void compile(const char *text)
{
    int patches[32], depth = 0;
    char name[32];
    while (*text) {
        while (*text == ' ' || *text == '\n')
            text++;
        int length = 0;
        while (*text && *text != ' ' && *text != '\n')
            name[length++] = *text++;
        name[length] = 0;
        if (!length)
            break;
        struct word *word = find(name);
        if (!word) {
            int number = 0;
            for (const char *digit = name; *digit; digit++)
                number = number * 10 + (*digit - '0');
            code[here++] = LITERAL;
            code[here++] = number;
            continue;
        }
        switch (word->op) {
        case COLON: {
            while (*text == ' ')
                text++;
            length = 0;
            while (*text != ' ' && *text != '\n')
                name[length++] = *text++;
            name[length] = 0;
            define(name, CALL, 0);
            words[n_words - 1].start = here;
            break;
        }
        case SEMICOLON: code[here++] = EXIT; break;
        case IF:
        case WHILE:
            code[here++] = ZBRANCH;
            patches[depth++] = here++;
            break;
        case ELSE:
            code[here++] = BRANCH;
            code[patches[depth - 1]] = here + 1;
            patches[depth - 1] = here++;
            break;
        case THEN: code[patches[--depth]] = here; break;
        case BEGIN: patches[depth++] = here; break;
        case UNTIL:
            code[here++] = ZBRANCH;
            code[here++] = patches[--depth];
            break;
        case REPEAT:
            code[here++] = BRANCH;
            code[here++] = patches[depth - 2];
            code[patches[depth - 1]] = here;
            depth -= 2;
            break;
        case CALL:
            code[here++] = CALL;
            code[here++] = word->start;
            break;
        default: code[here++] = word->op;
        }
    }
}

static const char program[] =
    ": limit 0 @ ;\n"
    ": clear 4 begin dup limit 4 + < while 1 over c! 1 + repeat drop ;\n"
    ": strike dup dup + begin dup limit < while 0 over 4 + c! over + repeat drop drop ;\n"
    ": sieve 2 begin dup dup * limit < while dup 4 + c@ if dup strike then 1 + repeat drop ;\n"
    ": count 0 2 begin dup limit < while dup 4 + c@ rot + swap 1 + repeat drop ;\n"
    ": main clear sieve count . ;\n";

int main(int argc, char **argv)
{
    static const struct { const char *name; int op; } primitives[] = {
        {"dup", DUP},   {"drop", DROP}, {"swap", SWAP}, {"over", OVER},  {"rot", ROT},     {"+", ADD},
        {"-", SUB},     {"*", MUL},     {"<", LESS},    {"=", EQUAL},    {"0=", ZEROEQ},   {"@", FETCH},
        {"!", STORE},   {"c@", CFETCH}, {"c!", CSTORE}, {">r", TOR},     {"r>", FROMR},    {"r@", RFETCH},
        {".", DOT},     {":", COLON},   {";", SEMICOLON}, {"if", IF},    {"else", ELSE},   {"then", THEN},
        {"begin", BEGIN}, {"until", UNTIL}, {"while", WHILE}, {"repeat", REPEAT},
    };
    for (size_t i = 0; i < sizeof primitives / sizeof *primitives; i++)
        define(primitives[i].name, primitives[i].op, primitives[i].op >= COLON);
    int limit = argc > 1 ? 0 : 1000;
    for (const char *digit = argc > 1 ? argv[1] : ""; *digit; digit++)
        limit = limit * 10 + (*digit - '0');
    compile(program);
    memcpy(memory, &limit, 4);
    int steps = run(find("main")->start);
    printf("primes below %d in %d steps\n", limit, steps);
    return 0;
}
