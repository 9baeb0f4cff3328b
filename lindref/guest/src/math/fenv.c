/* The floating-point environment: nothing can be set but what is. */
#include <fenv.h>

int feclearexcept(int exceptions) { return exceptions != 0; }
int fegetexceptflag(fexcept_t *flag, int exceptions) { *flag = 0; return exceptions != 0; }
int feraiseexcept(int exceptions) { return exceptions != 0; }
int fesetexceptflag(const fexcept_t *flag, int exceptions) { (void)flag; return exceptions != 0; }
int fetestexcept(int exceptions) { (void)exceptions; return 0; }
int fegetround(void) { return FE_TONEAREST; }
int fesetround(int mode) { return mode != FE_TONEAREST; }
int fegetenv(fenv_t *environment) { environment->__nothing = 0; return 0; }
int feholdexcept(fenv_t *environment) { return fegetenv(environment); }
int fesetenv(const fenv_t *environment) { (void)environment; return 0; }
int feupdateenv(const fenv_t *environment) { return fesetenv(environment); }
