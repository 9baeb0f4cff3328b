/* As second.c, but it does not say that it needs the first one. */
int first_fn(int n);

int alone_fn(int n)
{
    return 100 * first_fn(n);
}
