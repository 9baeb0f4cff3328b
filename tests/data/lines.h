static int clamp(int n)
{
    if (n > 1000)
        return 1000;
    return n;
}
