"""A call as RawPOSIX sees it: a number, the cage it acts on, six (value, owning cage) pairs.

Values cross the gate as 64 bits without a type; the accessors here do the truncations of the real argument
conversion (rawposix.md 0): C ints are the low 32 bits, sizes and file offsets all 64.
"""

from __future__ import annotations

from lindref.state.records import record, replace

#: Value of an argument slot that the caller does not use.
UNUSED = 0xDEADBEEFDEADBEEF

#: Number of argument slots of every call.
SLOTS = 6


def i32(value: int) -> int:
    """The low 32 bits of ``value`` as a signed number."""
    value &= 0xFFFFFFFF
    return value - 0x100000000 if value & 0x80000000 else value


def u32(value: int) -> int:
    """The low 32 bits of ``value``."""
    return value & 0xFFFFFFFF


def i64(value: int) -> int:
    """The low 64 bits of ``value`` as a signed number."""
    value &= 0xFFFFFFFFFFFFFFFF
    return value - (1 << 64) if value >> 63 else value


@record("posix.arg")
class Arg:
    """One argument: 64 bits without sign, and the cage it belongs to (which may be none that exists)."""

    value: int
    cage: int


@record("posix.call", version=2)
class Call:
    """One call, or one more try of a call that had to wait.

    ``target`` is the cage whose state the call acts on; descriptors and working directories are looked up in the
    cage beside the argument (3i.md 3.4). ``tid`` is the thread of the caller. On a retry ``memo`` is what the
    `Wait` left, ``timed_out`` says its deadline has passed, ``interrupted`` that a signal arrived. ``caller`` is the
    cage that makes the call, 0 where nobody does.
    """

    number: int
    target: int
    tid: int
    args: tuple[Arg, ...]
    memo: object = None
    timed_out: bool = False
    interrupted: bool = False
    caller: int = 0

    def value(self, slot: int) -> int:
        """Argument ``slot`` (from 0) as it came: 64 bits, unsigned."""
        return self.args[slot].value & 0xFFFFFFFFFFFFFFFF

    def cage(self, slot: int) -> int:
        """The cage that owns argument ``slot``."""
        return self.args[slot].cage

    def i32(self, slot: int) -> int:
        """Argument ``slot`` as a C int."""
        return i32(self.args[slot].value)

    def u32(self, slot: int) -> int:
        """Argument ``slot`` as a C unsigned int."""
        return self.args[slot].value & 0xFFFFFFFF

    def i64(self, slot: int) -> int:
        """Argument ``slot`` as a 64-bit file offset."""
        return i64(self.args[slot].value)

    def first(self) -> bool:
        """Whether this is the first try."""
        return self.memo is None and not self.timed_out and not self.interrupted


def make(number: int, target: int, *values: int, cage: int | None = None, tid: int = 1) -> Call:
    """A call with ``values`` as its first arguments, all owned by ``cage`` (the target unless given)."""
    owner = target if cage is None else cage
    padded = values + (UNUSED,) * (SLOTS - len(values))
    return Call(number, target, tid, tuple(Arg(v & 0xFFFFFFFFFFFFFFFF, owner) for v in padded))


def retry(call: Call, memo: object, *, timed_out: bool = False, interrupted: bool = False) -> Call:
    """``call`` again, after a wait that left ``memo``."""
    return replace(call, memo=memo, timed_out=timed_out, interrupted=interrupted)
