/* Source of shared.wasm, a position-independent library. */
extern int imported(int n);
extern int weak_one(void) __attribute__((weak));
extern int outside;
static int numbers[8] = {1, 2, 3};
int *const pointer = &numbers[2];
int (*table_entry)(int) = imported;
_Thread_local int per_thread = 5;

int first(int n) { return imported(n) + numbers[n & 7] + outside + per_thread; }
int second(void) { return weak_one ? weak_one() : 0; }
