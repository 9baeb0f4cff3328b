/* Cube root and hypotenuse. */
#include "core.h"

double cbrt(double x)
{
    int exponent;
    if (x == 0 || !is_finite(x))
        return x;
    double m = __builtin_fabs(frexp(x, &exponent));
    int shift = ((exponent % 3) + 3) % 3;
    m = scalbn(m, shift); /* in [1/2, 4) */
    double y = 0.5 + m * (0.55 - m * 0.08);
    for (int i = 0; i < 5; i++)
        y -= (y * y * y - m) / (3 * y * y);
    dd cube = dd_multiply(two_product(y, y), (dd){y, 0});
    y -= ((cube.h - m) + cube.l) / (3 * y * y);
    return __builtin_copysign(scalbn(y, (exponent - shift) / 3), x);
}

double hypot(double x, double y)
{
    int exponent;
    x = __builtin_fabs(x);
    y = __builtin_fabs(y);
    if (x == __builtin_inf() || y == __builtin_inf())
        return __builtin_inf();
    if (x != x || y != y)
        return x + y;
    double big = x > y ? x : y, small = x > y ? y : x;
    if (small == 0)
        return big;
    frexp(big, &exponent);
    big = scalbn(big, -exponent);
    small = scalbn(small, -exponent);
    dd root = dd_root(dd_add(two_product(big, big), small < 0x1p-400 ? (dd){0, 0} : two_product(small, small)));
    return ldexp(root.h + root.l, exponent);
}
