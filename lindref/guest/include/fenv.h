/* C11 7.6: the floating-point environment. wasm rounds to nearest and raises nothing. */
#ifndef _FENV_H
#define _FENV_H

#include <features.h>

__BEGIN_DECLS

#define FE_ALL_EXCEPT 0
#define FE_TONEAREST 0

typedef unsigned fexcept_t;
typedef struct {
    unsigned __nothing;
} fenv_t;
#define FE_DFL_ENV ((const fenv_t *)-1)

int feclearexcept(int exceptions);
int fegetexceptflag(fexcept_t *flag, int exceptions);
int feraiseexcept(int exceptions);
int fesetexceptflag(const fexcept_t *flag, int exceptions);
int fetestexcept(int exceptions);
int fegetround(void);
int fesetround(int mode);
int fegetenv(fenv_t *environment);
int feholdexcept(fenv_t *environment);
int fesetenv(const fenv_t *environment);
int feupdateenv(const fenv_t *environment);

__END_DECLS

#endif
