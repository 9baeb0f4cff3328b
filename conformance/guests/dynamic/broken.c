/* A library whose constructor traps. */
__attribute__((constructor)) static void begin(void)
{
    __builtin_trap();
}

int broken_fn(void)
{
    return 77;
}
