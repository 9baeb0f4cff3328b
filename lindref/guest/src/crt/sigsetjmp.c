/* sigsetjmp and siglongjmp: the mask is kept in the buffer beside the rest. (Not in the same file as __wasm_longjmp, which
 * the compiler calls here.) */
#include <setjmp.h>
#include <signal.h>

void __lind_keep_mask(sigjmp_buf buffer, int save)
{
    buffer->__mask_saved = save != 0;
    if (save) {
        sigset_t mask;
        sigprocmask(SIG_BLOCK, 0, &mask);
        buffer->__mask = mask.__bits[0];
    }
}

_Noreturn void siglongjmp(sigjmp_buf buffer, int value)
{
    if (buffer->__mask_saved) {
        sigset_t mask = {{buffer->__mask}};
        sigprocmask(SIG_SETMASK, &mask, 0);
    }
    longjmp(buffer, value);
}
