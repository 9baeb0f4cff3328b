/* A library that jumps back into its caller, calls it back, and has a variable for each thread. */
#include <setjmp.h>

jmp_buf back;
_Thread_local int own = 7;

void jump_back(int value)
{
    longjmp(back, value);
}

int call_back(int (*function)(int), int n)
{
    return function(n);
}

int count_own(void)
{
    return ++own;
}
