/* Floating-point arithmetic to the last bit: rounding, tiny and huge numbers, conversions, comparisons, summing up. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t bits(double x)
{
    uint64_t n;
    memcpy(&n, &x, sizeof n);
    return n;
}

int main(void)
{
    volatile double a = 0.1, b = 0.2, tiny = DBL_MIN, huge = DBL_MAX, zero = 0;
    volatile float f = 16777216.0f, g = 0.1f;
    printf("%a %d\n", a + b, a + b == 0.3);
    printf("%a %a\n", a * b, a / b);
    printf("%a %a %a\n", tiny / 2, tiny / 4503599627370496.0, tiny / 9007199254740992.0);
    printf("%g %g\n", huge * 2, -huge - huge);
    printf("%d %d %d\n", zero / zero != zero / zero, 1 / zero > huge, 1 / -zero < -huge);
    printf("%d %d\n", zero == -zero, bits(zero) == bits(-zero));
    printf("%.9g %.9g %a\n", f + 1, f + 2, (double)(g * 3));
    printf("%a %a\n", (double)(float)a, (double)(float)1e-46);
    printf("%d %d %d\n", (int)2.9, (int)-2.9, (int)(float)1e9);
    printf("%llu %lld\n", (unsigned long long)1.8e19, (long long)-9e18);
    printf("%.17g %.17g %.9g\n", (double)UINT64_MAX, (double)INT64_C(9007199254740993), (double)(float)16777217);
    double sum = 0, compensation = 0, plain = 0;
    for (int i = 1; i <= 1000; i++) {
        double term = 1.0 / i, y = term - compensation, t = sum + y;
        compensation = (t - sum) - y;
        sum = t;
        plain += term;
    }
    printf("%.17g %.17g\n", sum, plain);
    float single = 0;
    for (int i = 0; i < 1000; i++)
        single += 0.1f;
    printf("%.9g\n", single);
    double x = 1;
    for (int i = 0; i < 20; i++)
        x = (x + 2 / x) / 2;
    printf("%a %a\n", x, sqrt(2));
    printf("%d %d %d %d\n", isnan(zero / zero) != 0, isinf(1 / zero) != 0, isnormal(tiny / 2) != 0, signbit(-zero) != 0);
    printf("%g %g %g %g\n", floor(-2.5), ceil(-2.5), trunc(-2.5), round(-2.5));
    printf("%g %g %g\n", fmod(-7, 3), fmin(zero / zero, 3), copysign(2, -zero));
    int exponent;
    double mantissa = frexp(-40, &exponent);
    printf("%g %d %g\n", mantissa, exponent, ldexp(0.75, 5));
    printf("%a %a\n", nextafter(1, 2), nextafter(0, -1));
    printf("%d %d %d\n", DBL_DIG, FLT_MANT_DIG, DBL_MAX_EXP);
    double matrix[3][3] = {{2, 1, -1}, {-3, -1, 2}, {-2, 1, 2}}, right[3] = {8, -11, -3};
    for (int i = 0; i < 3; i++) {
        for (int j = i + 1; j < 3; j++) {
            double factor = matrix[j][i] / matrix[i][i];
            for (int k = 0; k < 3; k++)
                matrix[j][k] -= factor * matrix[i][k];
            right[j] -= factor * right[i];
        }
    }
    for (int i = 2; i >= 0; i--) {
        for (int j = i + 1; j < 3; j++)
            right[i] -= matrix[i][j] * right[j];
        right[i] /= matrix[i][i];
    }
    printf("%.6f %.6f %.6f\n", right[0], right[1], right[2]);
    return 0;
}
