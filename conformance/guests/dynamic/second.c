/* A library that needs the first one, and defines two of its names again. */
int first_fn(int n);

int shared_data = 22;

int shared_name(void)
{
    return 2;
}

int second_fn(int n)
{
    return 10 * first_fn(n);
}

int second_shared(void)
{
    return 1000 * shared_name() + shared_data;
}

void *second_address(void)
{
    return (void *)shared_name;
}
