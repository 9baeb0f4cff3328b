/* Evaluates what standard input asks for: a name and one or two numbers a line; answers are exact (as %a). */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    double (*function)(double);
} one[] = {{"sin", sin}, {"cos", cos}, {"tan", tan}, {"asin", asin}, {"acos", acos}, {"atan", atan}, {"sinh", sinh},
           {"cosh", cosh}, {"tanh", tanh}, {"asinh", asinh}, {"acosh", acosh}, {"atanh", atanh}, {"exp", exp},
           {"exp2", exp2}, {"expm1", expm1}, {"log", log}, {"log2", log2}, {"log10", log10}, {"log1p", log1p},
           {"sqrt", sqrt}, {"cbrt", cbrt}, {"erf", erf}, {"erfc", erfc}, {"gamma", tgamma}, {"lgamma", lgamma},
           {"floor", floor}, {"ceil", ceil}, {"trunc", trunc}, {"round", round}, {"rint", rint}, {"fabs", fabs},
           {"logb", logb}};

static const struct {
    const char *name;
    double (*function)(double, double);
} two[] = {{"pow", pow}, {"atan2", atan2}, {"fmod", fmod}, {"remainder", remainder}, {"hypot", hypot},
           {"nextafter", nextafter}, {"copysign", copysign}, {"fdim", fdim}, {"fmax", fmax}, {"fmin", fmin}};

static const struct {
    const char *name;
    float (*function)(float);
} single[] = {{"sinf", sinf}, {"cosf", cosf}, {"tanf", tanf}, {"expf", expf}, {"logf", logf}, {"sqrtf", sqrtf},
              {"roundf", roundf}, {"cbrtf", cbrtf}, {"atanf", atanf}};

static int is(const char *name, const char *wanted)
{
    return !strcmp(name, wanted);
}

static void answer(const char *name, double x, double y, double z)
{
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        if (is(name, one[i].name))
            printf("%a", one[i].function(x));
    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        if (is(name, two[i].name))
            printf("%a", two[i].function(x, y));
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (is(name, single[i].name))
            printf("%a", (double)single[i].function((float)x));
    int n;
    double whole;
    long double a = x, b = y;
    if (is(name, "frexp")) {
        x = frexp(x, &n);
        printf("%a %d", x, n);
    } else if (is(name, "modf")) {
        x = modf(x, &whole);
        printf("%a %a", x, whole);
    } else if (is(name, "remquo")) {
        x = remquo(x, y, &n);
        printf("%a %d", x, n & 7);
    } else if (is(name, "ldexp")) {
        printf("%a", ldexp(x, (int)y));
    } else if (is(name, "fma")) {
        printf("%a", fma(x, y, z));
    } else if (is(name, "class")) {
        printf("%d%d%d%d%d%d", isnan(x) != 0, isinf(x) != 0, isfinite(x) != 0, isnormal(x) != 0, signbit(x) != 0,
               fpclassify(x) == FP_SUBNORMAL);
    } else if (is(name, "long")) {
        printf("%a %a %a %a %d%d%d %lld", (double)(a + b), (double)(a - b), (double)(a * b), (double)(a / b), a < b,
               a == b, a >= b, (long long)a);
    } else if (is(name, "lround")) {
        printf("%ld %lld %ld", lround(x), llround(x), lrint(x));
    }
    printf("\n");
}

int main(void)
{
    char line[200], name[32], x[64], y[64], z[64];
    while (fgets(line, sizeof line, stdin)) {
        strcpy(y, "0");
        strcpy(z, "0");
        if (sscanf(line, "%31s %63s %63s %63s", name, x, y, z) >= 2)
            answer(name, strtod(x, NULL), strtod(y, NULL), strtod(z, NULL));
    }
    errno = 0;
    volatile double minus = -1;
    double root = sqrt(minus);
    printf("%d %d\n", root != root, errno == EDOM);
    return 0;
}
