/* Angles: the slope is near one of 17 slopes whose angles are in a table, and the series takes the rest. */
#include "core.h"

#include "tables.h"

dd __lind_angle(dd y, dd x)
{
    int j = (int)__builtin_rint(16 * (y.h / x.h));
    dd t;
    if (j) {
        double c = j / 16.0;
        dd cx = two_product(c, x.h), cy = two_product(c, y.h);
        dd above = dd_add(y, (dd){-cx.h, -cx.l - c * x.l}), below = dd_add(x, (dd){cy.h, cy.l + c * y.l});
        t = dd_divide(above, below);
    } else {
        t = dd_divide(y, x);
    }
    double z = t.h * t.h;
    double tail = t.h * z * (-1.0 / 3 + z * (1.0 / 5 + z * (-1.0 / 7 + z * (1.0 / 9 + z * (-1.0 / 11 + z / 13)))));
    if (!j)
        return quick_sum(t.h, t.l + tail);
    dd s = quick_sum(ANGLES[j].h, t.h);
    return quick_sum(s.h, s.l + (ANGLES[j].l + t.l + tail));
}

/* The angle of any point whose coordinates are finite and not both 0. */
static double angle_of(dd y, dd x)
{
    int left = x.h < 0, down = y.h < 0 || (y.h == 0 && __builtin_signbit(y.h));
    dd a = left ? dd_negative(x) : x, b = down ? dd_negative(y) : y, result;
    result = b.h <= a.h ? __lind_angle(b, a) : dd_add(HALF_PI, dd_negative(__lind_angle(a, b)));
    if (left)
        result = dd_add(PI, dd_negative(result));
    double sum = result.h + result.l;
    return down ? -sum : sum;
}

double atan2(double y, double x)
{
    double right = __builtin_signbit(x) ? 3.14159265358979311600 : 0;
    if (x != x || y != y)
        return x + y;
    if (y == 0)
        return __builtin_copysign(right, y);
    if (x == 0)
        return __builtin_copysign(1.57079632679489655800, y);
    if (!is_finite(y)) {
        double turn = is_finite(x) ? 1.57079632679489655800 : x > 0 ? 0.78539816339744827900 : 2.35619449019234483700;
        return __builtin_copysign(turn, y);
    }
    if (!is_finite(x))
        return __builtin_copysign(right, y);
    int ey = ilogb(y), ex = ilogb(x);
    if (ey - ex > 64)
        return __builtin_copysign(1.57079632679489655800, y);
    if (ex - ey > 64 && x < 0)
        return __builtin_copysign(3.14159265358979311600, y);
    if (ex - ey > 64)
        return y / x;
    int scale = -(ey > ex ? ey : ex);
    return angle_of((dd){ldexp(y, scale), 0}, (dd){ldexp(x, scale), 0});
}

double atan(double x)
{
    if (x != x)
        return x;
    if (__builtin_fabs(x) < 0x1p-27)
        return x;
    if (__builtin_fabs(x) > 0x1p66)
        return __builtin_copysign(1.57079632679489655800, x);
    return angle_of((dd){x, 0}, (dd){1, 0});
}

/* The other side of the triangle with hypotenuse 1. */
static dd other_side(double x)
{
    return dd_root(dd_multiply(two_sum(1, x), two_sum(1, -x)));
}

double asin(double x)
{
    if (!(__builtin_fabs(x) <= 1))
        return undefined(x);
    if (__builtin_fabs(x) < 0x1p-27)
        return x;
    return angle_of((dd){x, 0}, other_side(x));
}

double acos(double x)
{
    if (!(__builtin_fabs(x) <= 1))
        return undefined(x);
    if (x == 1)
        return 0;
    if (__builtin_fabs(x) < 0x1p-60)
        return 1.57079632679489655800;
    return angle_of(other_side(x), (dd){x, 0});
}
