"""Where the parts of a dynamic program lie (DYN-2), and the names that belong to the loader alone."""

from __future__ import annotations

PAGE = 4096

#: The stack of the first thread, and page 0 below it: one mapping.
STACK_LOW = 0x1000
STACK_HIGH = 0x801000

#: Main's data, behind a page that stays free.
MAIN_BASE = 0x802000

#: Main's first table element: 0 and 1 mean SIG_DFL and SIG_IGN.
MAIN_TABLE_BASE = 2

#: Where libraries end at most, so that an address fits a C function's int result (deviation ``DL-HIGH``).
LOW_END = 1 << 31

MMAP = 9
PROT_READ_WRITE = 3
PRIVATE_ANONYMOUS = 0x22
FIXED_PRIVATE_ANONYMOUS = 0x32
FIXED_NOREPLACE = 0x100000

ENV = "env"
GOT_MEM = "GOT.mem"
GOT_FUNC = "GOT.func"
GOT = (GOT_MEM, GOT_FUNC)

START = "(start)"
APPLY_DATA_RELOCS = "__wasm_apply_data_relocs"
APPLY_TLS_RELOCS = "__wasm_apply_tls_relocs"
CALL_CTORS = "__wasm_call_ctors"
TLS_SIZE = "__get_aligned_tls_size"
INIT_TLS = "__wasm_init_tls"
SIGNAL_CALLBACK = "signal_callback"
STACK_POINTER = "__stack_pointer"

#: Exports that are nobody else's business: they get no table slot, and no import finds them (DYN-7).
INTERNAL = frozenset(
    {
        *(STACK_POINTER, "__tls_base", "memory", CALL_CTORS, APPLY_DATA_RELOCS, "__wasm_apply_global_relocs"),
        *(APPLY_TLS_RELOCS, INIT_TLS, TLS_SIZE),
        *("asyncify_start_unwind", "asyncify_stop_unwind", "asyncify_start_rewind", "asyncify_stop_rewind"),
        "asyncify_get_state",
    }
)


def pages(size: int) -> int:
    """Bytes of the whole pages that ``size`` bytes take; data of no size takes one page."""
    return max(-(-size // PAGE), 1) * PAGE
