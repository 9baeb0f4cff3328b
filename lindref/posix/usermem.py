"""Guest memory as calls see it: 64-bit host addresses that mean a place in some cage's memory, or nothing.

All functions are all-or-nothing: a transfer that would fault anywhere changes nothing; who can do a part of one asks
`reach`. A handler adds the fault to its error set (``errors.add(not user.readable(...), EFAULT, ...)``). NULL is never
a place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.posix.constants import PAGE
from lindref.posix.kernel import Address, Kernel
from lindref.posix.result import Refused, RuntimeFault

if TYPE_CHECKING:
    from lindref.vm.memory import Memory

#: Model address of cage 0's memory, were there one: above anything a guest offset or the unused sentinel can reach.
MODEL_BASE = 1 << 44

#: Distance of the memories of neighbouring cages: 4 GiB of memory and as much nothing.
MODEL_STRIDE = 1 << 33

#: Largest cage id that has a model address (ids end far below).
MODEL_CAGES = 1 << 16


def model_base(cage: int) -> int:
    """The model address of byte 0 of ``cage``'s memory; what a `Host` answers unless it has its own scheme."""
    return MODEL_BASE + cage * MODEL_STRIDE


def model_resolve(address: int) -> Address | None:
    """The inverse of `model_base`: the place ``address`` means, or None."""
    cage, offset = divmod(address - MODEL_BASE, MODEL_STRIDE)
    return Address(cage, offset) if 0 <= cage < MODEL_CAGES and offset < 1 << 32 else None


def place(kernel: Kernel, address: int) -> tuple[Memory, int] | None:
    """The memory and the offset in it that host ``address`` means, or None; None too for memory that is nobody's
    business in this call (ABI-8).
    """
    found = kernel.host.resolve(address) if address else None
    memory = kernel.host.memory(found.cage) if found is not None and kernel.reaches(found.cage) else None
    return (memory, found.offset) if memory is not None and found is not None else None


def readable(kernel: Kernel, address: int, count: int) -> bool:
    """Whether ``count`` bytes can be read; zero bytes always can."""
    if count == 0:
        return True
    spot = place(kernel, address)
    return spot is not None and spot[0].readable(spot[1], count)


def writable(kernel: Kernel, address: int, count: int) -> bool:
    """Whether ``count`` bytes can be written; zero bytes always can."""
    if count == 0:
        return True
    spot = place(kernel, address)
    return spot is not None and spot[0].writable(spot[1], count)


def reach(kernel: Kernel, address: int, count: int, *, write: bool) -> int:
    """How many of ``count`` bytes from ``address`` on come before the first that cannot be read (written)."""
    able = writable if write else readable
    if able(kernel, address, count):
        return count
    to_page = -address % PAGE
    good, bad = 0, max(count - to_page - 1, 0) // PAGE + 1  # whole pages behind the first: enough, and too many
    if not able(kernel, address, min(to_page or PAGE, count)):
        return 0
    start = to_page or PAGE
    while good + 1 < bad:
        middle = (good + bad) // 2
        if able(kernel, address, min(start + middle * PAGE, count)):
            good = middle
        else:
            bad = middle
    return min(start + good * PAGE, count)


def copy_in(kernel: Kernel, address: int, count: int) -> bytes | None:
    """``count`` bytes from ``address``; None where that faults."""
    if count == 0:
        return b""
    spot = place(kernel, address)
    return spot[0].try_read(spot[1], count) if spot is not None else None


def copy_out(kernel: Kernel, address: int, data: bytes) -> bool:
    """Put ``data`` at ``address``; False (and nothing written) where that faults."""
    if not data:
        return True
    spot = place(kernel, address)
    return spot is not None and spot[0].try_write(spot[1], data)


def cstring(kernel: Kernel, address: int, limit: int) -> bytes | None:
    """The bytes before the NUL at ``address``; None where reading them faults. Of a longer string the first ``limit``
    bytes come back, so a result of that length means "too long".
    """
    spot = place(kernel, address)
    return spot[0].read_cstr(spot[1], limit) if spot is not None else None


def require_mapped(kernel: Kernel, mapped: bool, what: str) -> None:
    """In profile ``lind`` the host dereferences some pointers itself: one that leads nowhere ends the host process
    (PTR-CRASH). Elsewhere nothing happens and the handler reports EFAULT.
    """
    if not mapped and kernel.profile.has("PTR-CRASH"):
        raise Refused(RuntimeFault(f"{what}: host segmentation fault", "PTR-CRASH", code=-11))
