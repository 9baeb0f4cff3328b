"""Where profile ``spec`` does not answer as Linux did, and by which rule (spec/linux.md, LINUX-1 to LINUX-12).

A rule looks at one thing observed and at what it explained earlier in the same run; it never knows the vector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lindref import classes
from lindref.conformance.vectors.compare import Row
from lindref.conformance.vectors.model import Json
from lindref.posix.constants import MAP_HUGETLB, PROT_EXEC, PROT_READ, PROT_WRITE
from lindref.posix.errno import (
    EAGAIN,
    EBADF,
    EBUSY,
    EFAULT,
    EINVAL,
    ENAMETOOLONG,
    ENOENT,
    ENOMEM,
    ENOSYS,
    ENOTDIR,
    ENOTSOCK,
    EOVERFLOW,
)
from lindref.posix.table import CALLS, NUMBERS

_MMAP, _MPROTECT, _WAIT, _KILL = (NUMBERS[name] for name in ("mmap", "mprotect", "wait4", "kill"))
_READS = frozenset(NUMBERS[name] for name in ("read", "readv", "recvfrom", "recvmsg"))
_WITH_FLAGS = frozenset(NUMBERS[name] for name in ("fchmodat", "faccessat"))
#: Calls of which several errors may hold at once.
_SEVERAL = {
    NUMBERS["epoll_wait"]: frozenset({EBADF, EINVAL}),
    NUMBERS["connect"]: frozenset({EINVAL, ENOTSOCK}),
    NUMBERS["mmap"]: frozenset({EBADF, EINVAL}),
    **{
        NUMBERS[name]: frozenset({ENOENT, ENOTDIR, ENAMETOOLONG, EBUSY})
        for name in ("rename", "renameat", "renameat2")
    },
}
_SIGSEGV, _SIGBUS = 11, 7
#: Linux's real-time signals.
_REAL_TIME = range(32, 65)
_4_GIB = 1 << 32
#: How a cage ends that trapped: status 1, as wait tells it.
_TRAPPED = 1 << 8


def _number(row: Row) -> int | None:
    """The number of the call that a row is about."""
    found = None if row.step is None else row.step.get("n")
    return found if isinstance(found, int) else None


def _arg(row: Row, index: int) -> Json:
    """An argument of the row's call as the vector gives it."""
    args = [] if row.step is None else row.step.get("args", [])
    return args[index] if index < len(args) else None


def _int(row: Row, index: int) -> int:
    """An argument that is a plain number, else 0."""
    found = _arg(row, index)
    return found if isinstance(found, int) else 0


def _ret(entry: Json) -> Json:
    return entry.get("ret") if isinstance(entry, dict) else None


def _dump(entry: Json) -> Json:
    return entry.get("dump") if isinstance(entry, dict) else None


def _same_object(row: Row, earlier: Sequence[Row]) -> bool:
    """Whether a call is about the descriptor of a call that is explained already."""
    fd = _arg(row, 0)
    return fd is not None and any(_arg(one, 0) == fd for one in earlier)


def _too_wide(row: Row, earlier: Sequence[Row]) -> bool:
    """LINUX-1: a result beyond 32 bits; and what later calls say of the file whose offset was not moved."""
    there, here = _ret(row.recorded), _ret(row.played)
    wide = isinstance(there, int) and not -(1 << 31) <= there < 1 << 31
    return (wide and here == -EOVERFLOW) or _same_object(row, earlier)


def _executable(row: Row, _: Sequence[Row]) -> bool:
    """LINUX-2: pages that could be executed."""
    return _number(row) in (_MMAP, _MPROTECT) and bool(_int(row, 2) & PROT_EXEC) and _ret(row.played) == -EINVAL


def _no_room(row: Row, _: Sequence[Row]) -> bool:
    """LINUX-3: more than the address space of a cage."""
    return _number(row) == _MMAP and _int(row, 1) % (1 << 64) >= _4_GIB and _ret(row.played) == -ENOMEM


def _trapped(row: Row, _: Sequence[Row]) -> bool:
    """LINUX-4: a cage trapped, and its status is 1."""
    if row.what == "outcome":
        return row.recorded in (("exit", 128 + _SIGSEGV), ("exit", 128 + _SIGBUS)) and row.played[0] == "trap"
    if _number(row) != _WAIT or _ret(row.recorded) != _ret(row.played):
        return False
    there, here = _dump(row.recorded) or [], _dump(row.played) or []
    other = [pair for pair in zip(there, here, strict=False) if pair[0] != pair[1]]
    return bool(other) and all(
        old[:1] in ([_SIGSEGV], [_SIGBUS], [_SIGSEGV | 128], [_SIGBUS | 128]) and new[:1] == [_TRAPPED]
        for old, new in other
    )


def _failed_untouched(row: Row, _: Sequence[Row]) -> bool:
    """LINUX-5: a call that failed has told nothing; how it failed is the same."""
    ret = _ret(row.played)
    return _number(row) is not None and isinstance(ret, int) and ret < 0 and _ret(row.recorded) == ret


def _nothing_lost(row: Row, earlier: Sequence[Row]) -> bool:
    """LINUX-6: reading failed with EFAULT and what was there is still there. That row itself agrees."""
    if row.same:
        return _number(row) in _READS and _ret(row.played) == -EFAULT
    here, there = _ret(row.played), _ret(row.recorded)
    gone = there == -EAGAIN or (isinstance(there, int) and there >= 0)
    return gone and isinstance(here, int) and here >= 0 and _same_object(row, earlier)


def _protection(row: Row, _: Sequence[Row]) -> bool:
    """LINUX-7: protections that Lind does not have."""
    known = PROT_READ | PROT_WRITE | PROT_EXEC
    return _number(row) == _MPROTECT and bool(_int(row, 2) & ~known) and _ret(row.played) == -EINVAL


def _huge(row: Row, _: Sequence[Row]) -> bool:
    """LINUX-8: huge pages."""
    return _number(row) == _MMAP and bool(_int(row, 3) & MAP_HUGETLB) and _ret(row.played) == -EINVAL


def _no_such_call(row: Row, _: Sequence[Row]) -> bool:
    """LINUX-9: a call that Linux has and Lind has not."""
    number = _number(row)
    return number is not None and number not in CALLS and _ret(row.played) == -ENOSYS


def _flags(row: Row, _: Sequence[Row]) -> bool:
    """LINUX-10: flags that Linux's call does not have."""
    return _number(row) in _WITH_FLAGS and _int(row, 3) != 0


def _another_error(row: Row, _: Sequence[Row]) -> bool:
    """LINUX-11: of several errors another one."""
    told = {-ret for ret in (_ret(row.recorded), _ret(row.played)) if isinstance(ret, int)}
    return len(told) == 2 and told <= _SEVERAL.get(_number(row) or -1, frozenset())


def _real_time(row: Row, earlier: Sequence[Row]) -> bool:
    """LINUX-12: a signal that Lind does not have was not sent; where Linux sent it, it ended who got it."""
    if _number(row) == _KILL:
        return _int(row, 1) in _REAL_TIME and _ret(row.played) == -EINVAL
    if not earlier:
        return False
    if row.what == "outcome":
        return row.recorded in [("exit", 128 + number) for number in _REAL_TIME]
    return row.recorded is None and row.cage == earlier[0].cage


@classes.frozen
class LinuxRule:
    """A reason not to answer as Linux: a rule of spec/linux.md and how to see that it is the reason."""

    id: str
    explains: Callable[[Row, Sequence[Row]], bool]


LINUX_RULES = (
    LinuxRule("LINUX-1", _too_wide),
    LinuxRule("LINUX-2", _executable),
    LinuxRule("LINUX-3", _no_room),
    LinuxRule("LINUX-4", _trapped),
    LinuxRule("LINUX-5", _failed_untouched),
    LinuxRule("LINUX-6", _nothing_lost),
    LinuxRule("LINUX-7", _protection),
    LinuxRule("LINUX-8", _huge),
    LinuxRule("LINUX-9", _no_such_call),
    LinuxRule("LINUX-10", _flags),
    LinuxRule("LINUX-11", _another_error),
    LinuxRule("LINUX-12", _real_time),
)


def explain(observed: Sequence[Row]) -> tuple[list[tuple[Row, str]], Row | None]:
    """The rows that differ, each with the rule that says why; and the first that no rule explains."""
    found: list[tuple[Row, str]] = []
    explained: dict[str, list[Row]] = {rule.id: [] for rule in LINUX_RULES}
    # How the run ended is listed first and comes last.
    for row in [*observed[1:], *observed[:1]]:
        rules = [one for one in LINUX_RULES if one.explains(row, explained[one.id])]
        for rule in rules if row.same else rules[:1]:
            explained[rule.id].append(row)
        if row.same:
            continue
        if not rules:
            return found, row
        found.append((row, rules[0].id))
    return found, None
