/* How big a thread's block of thread-local variables is, in this module: the host carves one of this size from the
 * thread's stack. Part of every module, program or library. */
#include "../internal.h"

__attribute__((export_name("__get_aligned_tls_size"), visibility("hidden"))) uint32_t __get_aligned_tls_size(void)
{
    size_t size = __builtin_wasm_tls_size(), align = __builtin_wasm_tls_align();
    return align ? (size + align - 1) / align * align : size;
}

#ifdef __PIC__
/* A pointer to be relocated: newer linkers leave __wasm_apply_data_relocs out of a module that has none, and the real
 * loader insists on that function. */
__attribute__((used)) static void *const volatile relocated = (void *)&relocated;
#endif
