/* The functions of float: those of double, rounded once more. Where the result of the double is exact or the machine has
 * an instruction, that makes no difference; elsewhere the error is hardly more than half a unit. */
#include "core.h"

/* A result that is too big, or too small, for a float only. */
static float shorter(double result)
{
    float single = (float)result;
    if ((single == 0 && result != 0) || (!is_finite(single) && is_finite(result)))
        errno = ERANGE;
    return single;
}

float acosf(float x) { return shorter(acos(x)); }
float asinf(float x) { return shorter(asin(x)); }
float atanf(float x) { return shorter(atan(x)); }
float cosf(float x) { return shorter(cos(x)); }
float sinf(float x) { return shorter(sin(x)); }
float tanf(float x) { return shorter(tan(x)); }
float acoshf(float x) { return shorter(acosh(x)); }
float asinhf(float x) { return shorter(asinh(x)); }
float atanhf(float x) { return shorter(atanh(x)); }
float coshf(float x) { return shorter(cosh(x)); }
float sinhf(float x) { return shorter(sinh(x)); }
float tanhf(float x) { return shorter(tanh(x)); }
float expf(float x) { return shorter(exp(x)); }
float exp2f(float x) { return shorter(exp2(x)); }
float exp10f(float x) { return shorter(exp10(x)); }
float expm1f(float x) { return shorter(expm1(x)); }
float logf(float x) { return shorter(log(x)); }
float log2f(float x) { return shorter(log2(x)); }
float log10f(float x) { return shorter(log10(x)); }
float log1pf(float x) { return shorter(log1p(x)); }
float logbf(float x) { return shorter(logb(x)); }
float cbrtf(float x) { return shorter(cbrt(x)); }
float erff(float x) { return shorter(erf(x)); }
float erfcf(float x) { return shorter(erfc(x)); }
float lgammaf(float x) { return shorter(lgamma(x)); }
float tgammaf(float x) { return shorter(tgamma(x)); }
float roundf(float x) { return shorter(round(x)); }
float fabsf(float x) { return __builtin_fabsf(x); }
float sqrtf(float x) { return x < 0 ? (float)math_error(EDOM, __builtin_nan("")) : __builtin_sqrtf(x); }
float ceilf(float x) { return __builtin_ceilf(x); }
float floorf(float x) { return __builtin_floorf(x); }
float nearbyintf(float x) { return __builtin_rintf(x); }
float rintf(float x) { return __builtin_rintf(x); }
float truncf(float x) { return __builtin_truncf(x); }
float roundevenf(float x) { return __builtin_rintf(x); }
float copysignf(float x, float y) { return __builtin_copysignf(x, y); }
float atan2f(float x, float y) { return shorter(atan2(x, y)); }
float fdimf(float x, float y) { return shorter(fdim(x, y)); }
float fmaxf(float x, float y) { return shorter(fmax(x, y)); }
float fminf(float x, float y) { return shorter(fmin(x, y)); }
float powf(float x, float y) { return shorter(pow(x, y)); }
float hypotf(float x, float y) { return shorter(hypot(x, y)); }
float fmodf(float x, float y) { return shorter(fmod(x, y)); }
float remainderf(float x, float y) { return shorter(remainder(x, y)); }
float dremf(float x, float y) { return shorter(drem(x, y)); }
long lrintf(float x) { return lrint(x); }
long long llrintf(float x) { return llrint(x); }
long lroundf(float x) { return lround(x); }
long long llroundf(float x) { return llround(x); }
int ilogbf(float x) { return ilogb(x); }
float frexpf(float x, int *exponent) { return (float)frexp(x, exponent); }
float ldexpf(float x, int exponent) { return shorter(ldexp(x, exponent)); }
float scalbnf(float x, int exponent) { return shorter(scalbn(x, exponent)); }
float scalblnf(float x, long exponent) { return shorter(scalbln(x, exponent)); }
float remquof(float x, float y, int *quotient) { return (float)remquo(x, y, quotient); }
float lgammaf_r(float x, int *sign) { return shorter(lgamma_r(x, sign)); }

float modff(float x, float *whole)
{
    double part, rest = modf(x, &part);
    *whole = (float)part;
    return (float)rest;
}

void sincosf(float x, float *sine, float *cosine)
{
    *sine = sinf(x);
    *cosine = cosf(x);
}

float nanf(const char *tag)
{
    (void)tag;
    return __builtin_nanf("");
}

float nextafterf(float x, float y)
{
    union {
        float x;
        uint32_t bits;
    } it = {x}, to = {y};
    if (x != x || y != y)
        return x + y;
    if (x == y)
        return y;
    if (x == 0)
        it.bits = (to.bits & 1u << 31) | 1;
    else
        it.bits += (x < y) == (x > 0) ? 1 : -1u;
    if (!is_finite(it.x) || __builtin_fabsf(it.x) < 0x1p-126f)
        errno = ERANGE;
    return it.x;
}
