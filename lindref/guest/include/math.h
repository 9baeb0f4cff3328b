/* C11 7.12: mathematics. */
#ifndef _MATH_H
#define _MATH_H

#include <features.h>

__BEGIN_DECLS

typedef float float_t;
typedef double double_t;

#define HUGE_VAL __builtin_huge_val()
#define HUGE_VALF __builtin_huge_valf()
#define HUGE_VALL __builtin_huge_vall()
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")

#define M_E 2.7182818284590452354
#define M_LOG2E 1.4426950408889634074
#define M_LOG10E 0.43429448190325182765
#define M_LN2 0.69314718055994530942
#define M_LN10 2.30258509299404568402
#define M_PI 3.14159265358979323846
#define M_PI_2 1.57079632679489661923
#define M_PI_4 0.78539816339744830962
#define M_1_PI 0.31830988618379067154
#define M_2_PI 0.63661977236758134308
#define M_2_SQRTPI 1.12837916709551257390
#define M_SQRT2 1.41421356237309504880
#define M_SQRT1_2 0.70710678118654752440
#define MAXFLOAT 3.40282346638528859812e+38F

#define FP_NAN 0
#define FP_INFINITE 1
#define FP_ZERO 2
#define FP_SUBNORMAL 3
#define FP_NORMAL 4
#define FP_ILOGB0 (-2147483647 - 1)
#define FP_ILOGBNAN (-2147483647 - 1)
#define MATH_ERRNO 1
#define MATH_ERREXCEPT 2
#define math_errhandling MATH_ERRNO

#define fpclassify(x) __builtin_fpclassify(FP_NAN, FP_INFINITE, FP_NORMAL, FP_SUBNORMAL, FP_ZERO, x)
#define isfinite(x) __builtin_isfinite(x)
#define isinf(x) __builtin_isinf_sign(x)
#define isnan(x) __builtin_isnan(x)
#define isnormal(x) __builtin_isnormal(x)
#define signbit(x) (__builtin_signbit(x) != 0)
#define isgreater(x, y) __builtin_isgreater(x, y)
#define isgreaterequal(x, y) __builtin_isgreaterequal(x, y)
#define isless(x, y) __builtin_isless(x, y)
#define islessequal(x, y) __builtin_islessequal(x, y)
#define islessgreater(x, y) __builtin_islessgreater(x, y)
#define isunordered(x, y) __builtin_isunordered(x, y)

#define __LIND_ONE(name) \
    double name(double x); \
    float name##f(float x); \
    long double name##l(long double x);
#define __LIND_TWO(name) \
    double name(double x, double y); \
    float name##f(float x, float y); \
    long double name##l(long double x, long double y);

__LIND_ONE(acos) __LIND_ONE(asin) __LIND_ONE(atan) __LIND_ONE(cos) __LIND_ONE(sin) __LIND_ONE(tan)
__LIND_ONE(acosh) __LIND_ONE(asinh) __LIND_ONE(atanh) __LIND_ONE(cosh) __LIND_ONE(sinh) __LIND_ONE(tanh)
__LIND_ONE(exp) __LIND_ONE(exp2) __LIND_ONE(exp10) __LIND_ONE(expm1)
__LIND_ONE(log) __LIND_ONE(log2) __LIND_ONE(log10) __LIND_ONE(log1p) __LIND_ONE(logb)
__LIND_ONE(cbrt) __LIND_ONE(sqrt) __LIND_ONE(fabs)
__LIND_ONE(erf) __LIND_ONE(erfc) __LIND_ONE(lgamma) __LIND_ONE(tgamma)
__LIND_ONE(ceil) __LIND_ONE(floor) __LIND_ONE(nearbyint) __LIND_ONE(rint) __LIND_ONE(round) __LIND_ONE(roundeven)
__LIND_ONE(trunc)
__LIND_TWO(atan2) __LIND_TWO(copysign) __LIND_TWO(drem) __LIND_TWO(fdim) __LIND_TWO(fmax) __LIND_TWO(fmin)
__LIND_TWO(fmod) __LIND_TWO(hypot) __LIND_TWO(nextafter) __LIND_TWO(pow) __LIND_TWO(remainder)

#undef __LIND_ONE
#undef __LIND_TWO

double fma(double x, double y, double z);
float fmaf(float x, float y, float z);
long double fmal(long double x, long double y, long double z);
double frexp(double x, int *exponent);
float frexpf(float x, int *exponent);
long double frexpl(long double x, int *exponent);
double ldexp(double x, int exponent);
float ldexpf(float x, int exponent);
long double ldexpl(long double x, int exponent);
double scalbn(double x, int exponent);
float scalbnf(float x, int exponent);
long double scalbnl(long double x, int exponent);
double scalbln(double x, long exponent);
float scalblnf(float x, long exponent);
long double scalblnl(long double x, long exponent);
double modf(double x, double *whole);
float modff(float x, float *whole);
long double modfl(long double x, long double *whole);
double remquo(double x, double y, int *quotient);
float remquof(float x, float y, int *quotient);
long double remquol(long double x, long double y, int *quotient);
double nexttoward(double x, long double y);
float nexttowardf(float x, long double y);
long double nexttowardl(long double x, long double y);
int ilogb(double x);
int ilogbf(float x);
int ilogbl(long double x);
long lrint(double x);
long lrintf(float x);
long lrintl(long double x);
long long llrint(double x);
long long llrintf(float x);
long long llrintl(long double x);
long lround(double x);
long lroundf(float x);
long lroundl(long double x);
long long llround(double x);
long long llroundf(float x);
long long llroundl(long double x);
double nan(const char *tag);
float nanf(const char *tag);
long double nanl(const char *tag);
double lgamma_r(double x, int *sign);
float lgammaf_r(float x, int *sign);
void sincos(double x, double *sine, double *cosine);
void sincosf(float x, float *sine, float *cosine);
double significand(double x);
double gamma(double x);
int finite(double x);
extern int signgam;

__END_DECLS

#endif
