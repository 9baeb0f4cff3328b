/* Source of walk.wasm and walk2.wasm: what the tests of the debugger walk through. Without a C library; built by
 *   clang --target=wasm32-unknown-unknown -matomics -mbulk-memory -g -O0 -nostdlib -ffreestanding
 *         -ffile-prefix-map=$PWD=. -c walk.c
 *   wasm-ld --import-memory --shared-memory --max-memory=1048576 --export=_start --export=signal_callback
 *         --export=pass_fptr_to_wt --export=__stack_pointer --export-table walk.o -o walk.wasm
 * walk2.wasm: the same with -O2 and -gdwarf-5.
 */
typedef unsigned long long u64;
__attribute__((import_module("lind"), import_name("make-syscall")))
int gate(unsigned number, u64 name, u64 self, u64 target, u64 a, u64 ac, u64 b, u64 bc, u64 c, u64 cc, u64 d, u64 dc,
         u64 e, u64 ec, u64 f, u64 fc);
__attribute__((import_module("lind"), import_name("lind-get-memory-base"))) u64 memory_base(void);
__attribute__((import_module("lind"), import_name("lind-get-cage-id"))) u64 cage_id(void);

enum { WRITE = 1, RT_SIGACTION = 13, GETPID = 39, CLONE = 56, EXIT = 231, WAIT4 = 61, KILL = 62, GETUID = 102, REGISTER = 1001 };

enum colour { RED, GREEN = 5, BLUE };
struct point {
    int x, y;
};
struct node {
    struct node *next;
    const char *name;
    struct point at;
    enum colour colour;
    unsigned flags : 3, rest : 5;
    double weight;
    union {
        int whole;
        unsigned char parts[4];
    } both;
};

static struct node nodes[3];
int counter = 7;
int crash;
char text[16] = "walk";
static const u64 fork_args[11];
static const char *const names[3] = {"one", "two", "three"};

static int call(unsigned number, u64 a, u64 b, u64 c)
{
    u64 me = cage_id();
    return gate(number, 0, me, me, a, me, b, me, c, me, 0, me, 0, me, 0, me);
}

static u64 address(const void *pointer)
{
    return memory_base() + (unsigned)pointer;
}

static inline int twice(int n)
{
    return n + n;
}

static int sum(const struct node *list)
{
    int total = 0;
    for (const struct node *p = list; p; p = p->next)
        total += twice(p->at.x);
    return total;
}

__attribute__((noinline)) int factorial(int n)
{
    if (n < 2)
        return 1;
    return n * factorial(n - 1);
}

static void fill(void)
{
    for (int i = 0; i < 3; i++) {
        nodes[i].name = names[i];
        nodes[i].at.x = i + 1;
        nodes[i].colour = GREEN;
        nodes[i].flags = 5;
        nodes[i].weight = i * 1.5;
        nodes[i].both.whole = 0x01020304;
        if (i)
            nodes[i - 1].next = &nodes[i];
    }
}

/* A handler: what getuid gives is served here, in a worker of this very cage. */
__attribute__((noinline)) static int my_uid(u64 grate, u64 a, u64 ac)
{
    int given = (int)grate + 1000;
    (void)a, (void)ac;
    return given;
}

int pass_fptr_to_wt(u64 handler, u64 grate, u64 a, u64 ac, u64 b, u64 bc, u64 c, u64 cc, u64 d, u64 dc, u64 e, u64 ec,
                    u64 f, u64 fc)
{
    (void)b, (void)bc, (void)c, (void)cc, (void)d, (void)dc, (void)e, (void)ec, (void)f, (void)fc;
    return ((int (*)(u64, u64, u64))(unsigned)handler)(grate, a, ac);
}

static volatile int caught;
static void on_signal(int signo)
{
    caught = signo;
}

void signal_callback(unsigned handler, int signo)
{
    ((void (*)(int))handler)(signo);
}

void _start(void)
{
    u64 me = cage_id();
    fill();
    counter = sum(nodes);
    int child = call(CLONE, address(fork_args), 0, 0);
    if (child == 0) {
        counter = 99;
        call(WRITE, 1, address("child\n"), 6);
        call(EXIT, 3, 0, 0);
    }
    int status = 0;
    call(WAIT4, (u64)-1, address(&status), 0);
    unsigned action[6] = {(unsigned)on_signal};
    call(RT_SIGACTION, 10, address(action), 0);
    call(KILL, me, 10, 0);
    gate(REGISTER, 0, me, me, me, GETUID, ~0ull, me, (u64)(unsigned)my_uid, ~0ull, 0, 0, 0, 0, 0, 0);
    int uid = call(GETUID, 0, 0, 0);
    int result = factorial(5);
    counter += result + uid + caught;
    text[0] = 'W';
    if (crash)
        *(volatile int *)0x7ffffff0 = result;
    call(WRITE, 1, address(text), 4);
    call(EXIT, 0, 0, 0);
}
