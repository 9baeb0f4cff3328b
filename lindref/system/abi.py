"""The guest ABI: what a Lind module may import from the host, and how a call crosses the gate.

Rules ABI-1 … ABI-6 in spec/abi.md; the table of imports is 3i.md 1.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from lindref import classes
from lindref.posix.call import Arg
from lindref.threei.numbers import MEMORY_FLAG
from lindref.wasm.types import FuncType, NumType

_I32, _I64 = NumType.I32, NumType.I64

#: Names of the module that host functions come from; the second is what older C start-up code says (ABI-2).
LIND = "lind"
WASI = "wasi_snapshot_preview1"

MAKE_SYSCALL = "make-syscall"
DEBUG_PANIC = "debug-panic"
LINKING = ("dlopen", "dlsym", "dlclose")
EPOCH = "epoch"

_TWO = FuncType((_I32, _I32), (_I32,))
_BOTH_NAMES = ("args_sizes_get", "args_get", "environ_sizes_get", "environ_get", "random_get")

#: (module, name) -> type of every host function.
HOST_FUNCTIONS: dict[tuple[str, str], FuncType] = {
    (LIND, MAKE_SYSCALL): FuncType((_I32, *[_I64] * 15), (_I32,)),
    (LIND, "lind-get-memory-base"): FuncType((), (_I64,)),
    (LIND, "lind-get-cage-id"): FuncType((), (_I64,)),
    (LIND, DEBUG_PANIC): FuncType((_I64,), ()),
    (LIND, "epoch_callback"): FuncType((), ()),
    (LIND, "dlopen"): _TWO,
    (LIND, "dlsym"): _TWO,
    (LIND, "dlclose"): FuncType((_I32,), (_I32,)),
    **{(module, name): _TWO for module in (LIND, WASI) for name in _BOTH_NAMES},
}

#: The export through which handlers of a grate are called.
GRATE_ENTRY = "pass_fptr_to_wt"

#: Exports that the runtime calls, and what it gives and takes (3i.md 1.2); ``(start)`` is the start function.
CALLED: dict[str, FuncType] = {
    **dict.fromkeys(("(start)", "_start", "_initialize"), FuncType()),
    "signal_callback": FuncType((_I32, _I32)),
    GRATE_ENTRY: FuncType((_I64,) * 14, (_I32,)),
    "__get_aligned_tls_size": FuncType((), (_I32,)),
    "__wasm_init_tls": FuncType((_I32,)),
}


@classes.frozen
class SyscallRequest:
    """A call as it arrives at the gate: number, address of its name, self and target ids, six arguments."""

    number: int
    name_address: int
    caller: int
    target: int
    args: tuple[Arg, ...]


_PLAIN = ~MEMORY_FLAG


def decode_syscall(args: Sequence[int]) -> SyscallRequest:
    """The sixteen parameters of ``make-syscall``; bit 63 of cage ids is cleared (ABI-3)."""
    number, name, caller, target = args[:4]
    pairs = zip(args[4::2], args[5::2], strict=True)
    return SyscallRequest(number, name, caller, target, tuple([Arg(v, cage & _PLAIN) for v, cage in pairs]))


def string_block(strings: Sequence[bytes], buffer: int) -> tuple[bytes, bytes]:
    """Strings as ``args_get``/``environ_get`` lay them out: the pointer array and the bytes at ``buffer`` (ABI-4)."""
    pointers, data = bytearray(), bytearray()
    for text in strings:
        pointers += (buffer + len(data) & 0xFFFFFFFF).to_bytes(4, "little")
        data += text + b"\0"
    return bytes(pointers), bytes(data)
