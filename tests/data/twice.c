/* A second compile unit for lines5.wasm, with a function that the linker throws away. */
int sum(const int *numbers, int count);

int unused(int n)
{
    return sum(&n, 1) - 1;
}

int four_times(int n)
{
    int all[4] = {n, n, n, n};
    return sum(all, 4);
}
