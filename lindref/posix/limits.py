"""Limits of a cage on what it may use (LIMIT-1 to LIMIT-6 in spec/identity.md).

A cage has its own, a child begins with its parent's, and reaching one is an error of the call that would go beyond:
nothing is taken from anybody else.
"""

from __future__ import annotations

from lindref.posix import signals
from lindref.posix.cage import Cage
from lindref.posix.constants import (
    FD_MAX,
    PAGE,
    RLIMIT_AS,
    RLIMIT_CORE,
    RLIMIT_DATA,
    RLIMIT_FSIZE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RSS,
    RLIMIT_STACK,
    SIGXFSZ,
)
from lindref.posix.errno import EFBIG
from lindref.posix.errors import fail
from lindref.posix.fs.numbers import SIZE_MAX
from lindref.posix.kernel import Kernel
from lindref.posix.result import Refused

#: No limit.
INFINITY = 0xFFFFFFFF

#: What limits are at first (ID-5); those not listed are none.
FIRST = {
    RLIMIT_STACK: 8 << 20,
    RLIMIT_NOFILE: FD_MAX,
    RLIMIT_DATA: INFINITY,
    RLIMIT_RSS: INFINITY,
    RLIMIT_AS: INFINITY,
    RLIMIT_NPROC: 2048,
    RLIMIT_CORE: 0,
}


def limits(cage: Cage, resource: int) -> tuple[int, int]:
    """The present limit and the largest that can be asked for."""
    first = FIRST.get(resource, INFINITY)
    return cage.limits.get(resource) or (first, first)


def descriptors(cage: Cage) -> int:
    """New descriptors are below this number, which is the cage's own (LIMIT-1, LIMIT-6)."""
    return min(limits(cage, RLIMIT_NOFILE)[0], FD_MAX)


def crowded(cage: Cage) -> bool:
    """Whether the cage has as many threads and living children as it may (LIMIT-2)."""
    most = limits(cage, RLIMIT_NPROC)[0]
    return most != INFINITY and cage.children + len(cage.threads) >= most


def memory_full(cage: Cage, pages: int, *, heap: int = 0) -> bool:
    """Whether ``pages`` more would be too many, or a heap of ``heap`` pages too large (LIMIT-3)."""
    space, data = limits(cage, RLIMIT_AS)[0], limits(cage, RLIMIT_DATA)[0]
    if data != INFINITY and heap * PAGE > data:
        return True
    if space == INFINITY:
        return False
    return (sum(mapping.count for mapping in cage.vmmap.values()) + pages) * PAGE > space


def room_in_file(kernel: Kernel, offset: int) -> int:
    """How many bytes may be written to a file from ``offset`` on by the call that is being done: EFBIG where there is
    none, with SIGXFSZ at the cage's own limit (LIMIT-4).
    """
    serving = kernel.serving
    cage = kernel.cages.get(serving.target) if serving is not None else None
    most = SIZE_MAX
    if cage is not None:
        own = limits(cage, RLIMIT_FSIZE)[0]
        if own != INFINITY and offset >= own:
            signals.send(kernel, cage.id, SIGXFSZ)
            raise Refused(fail(EFBIG, "LIMIT-4"))
        most = own if own != INFINITY else SIZE_MAX
    if offset >= SIZE_MAX:
        raise Refused(fail(EFBIG, "FILE-WRITE-2"))
    return min(most, SIZE_MAX) - offset
