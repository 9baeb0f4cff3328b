/* C11 7.13: non-local jumps.
 *
 * The compiler turns calls of setjmp and longjmp into wasm exceptions with the tag __c_longjmp; the first words of
 * the buffer belong to that, the rest keeps a signal mask. */
#ifndef _SETJMP_H
#define _SETJMP_H

#include <features.h>

__BEGIN_DECLS

typedef struct {
    void *__words[4];
    int __mask_saved;
    unsigned long __mask;
    unsigned long __spare[35];
} jmp_buf[1] __attribute__((aligned(4)));
typedef jmp_buf sigjmp_buf;

int setjmp(jmp_buf buffer) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf buffer, int value);
void __lind_keep_mask(sigjmp_buf buffer, int save);
_Noreturn void siglongjmp(sigjmp_buf buffer, int value);

#define setjmp(buffer) setjmp(buffer)
#define _setjmp(buffer) setjmp(buffer)
#define _longjmp(buffer, value) longjmp(buffer, value)
#define sigsetjmp(buffer, save) (__lind_keep_mask(buffer, save), setjmp(buffer))

__END_DECLS

#endif
