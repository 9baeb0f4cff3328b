"""The state of checking one sequence of instructions (spec, appendix "Validation algorithm")."""

from __future__ import annotations

import enum
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from lindref.wasm.errors import Exhausted, Invalid, Malformed
from lindref.wasm.types import RefType, ValType
from lindref.wasm.typing import closed, defaultable, matches_ref
from lindref.wasm.validation.context import Context

#: Most operands on the stack of one function: a limit of ours. Only calls of functions with a great many results
#: come near it.
MAX_OPERANDS = 1 << 20
#: Most types that a message lists.
MAX_SHOWN = 20


class Bottom(enum.Enum):
    """What an operand in unreachable code may be: any value, or any reference."""

    VALUE = "bot"
    REF = "(ref bot)"

    def __str__(self) -> str:
        return self.value


StackType = ValType | Bottom


class Kind(enum.Enum):
    """What opened a frame, or the part of it that one is in."""

    FUNC = "func"
    BLOCK = "block"
    LOOP = "loop"
    IF = "if"
    ELSE = "else"
    TRY = "try"
    CATCH = "catch"
    CATCH_ALL = "catch_all"


def fits(got: StackType, want: ValType) -> bool:
    """Whether an operand may stand where ``want`` is expected."""
    if got is want:
        return True
    if isinstance(got, RefType):
        return isinstance(want, RefType) and matches_ref(got, want)
    return got is Bottom.VALUE or (got is Bottom.REF and isinstance(want, RefType))


def show(types: Sequence[StackType]) -> str:
    """A list of types as messages have it; of a long one the end, which is the top of the stack."""
    shown = [str(t) for t in types[-MAX_SHOWN:]]
    if len(types) > MAX_SHOWN:
        shown.insert(0, f"({len(types) - MAX_SHOWN} more)")
    return f"[{' '.join(shown)}]"


def mismatch(want: Sequence[StackType], got: Sequence[StackType]) -> Invalid:
    """The error for operands that do not fit."""
    return Invalid(f"type mismatch: instruction requires {show(want)} but stack has {show(got)}")


def require(sub: Sequence[ValType], sup: Sequence[ValType], what: str) -> None:
    """Raises ``Invalid`` unless ``sub`` matches ``sup`` type by type."""
    if len(sub) != len(sup) or not all(map(fits, sub, sup)):
        raise Invalid(f"type mismatch: {what} requires {show(sup)} but has {show(sub)}")


class Frame:
    """An open block. ``height``, ``dead``, ``live`` are the state around it, to go back to at its end."""

    __slots__ = ("arm", "dead", "height", "kind", "label", "live", "mark", "opener", "params", "results")

    def __init__(
        self, kind: Kind, opener: int, params: list[ValType], results: list[ValType], outer: State | None
    ) -> None:
        self.kind = kind
        self.opener = opener  # index of the instruction that opened it; -1: the sequence itself
        self.arm = opener  # index of the opener, else or catch that began the part one is in
        self.params = params
        self.results = results
        self.label = params if kind is Kind.LOOP else results  # what a branch to it carries
        self.height = outer.height if outer else 0
        self.dead = outer.dead if outer else False
        self.live = outer.live if outer else True
        self.mark = len(outer.trail) if outer else 0


class State:
    """Operand types, open blocks, and which locals may be read.

    ``height`` is where the operands of the innermost block begin; ``dead`` whether the rest of it is unreachable (then
    operands that are not there are of any type); ``live`` whether control can reach this place at all: false too inside
    a block that stands in unreachable code.
    """

    __slots__ = (
        "context",
        "dead",
        "ends",
        "frames",
        "height",
        "live",
        "local_ends",
        "local_types",
        "matching",
        "pc",
        "readable",
        "trail",
        "vals",
        "visible_globals",
    )

    def __init__(
        self,
        context: Context,
        params: Sequence[ValType],
        runs: Sequence[tuple[int, ValType]],
        results: list[ValType],
        visible_globals: int,
    ) -> None:
        self.context = context
        self.vals: list[StackType] = []
        self.height = 0
        self.dead = False
        self.live = True
        self.pc = 0
        self.matching: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        self.visible_globals = visible_globals
        # Locals are looked up in their runs when first met: what was declared but never named costs nothing.
        self.readable: dict[int, ValType] = dict(enumerate(params))
        self.local_ends = list(accumulate((count for count, _ in runs), initial=len(params)))
        self.local_types = [closed(context.types, valtype) for _, valtype in runs]
        self.trail: list[int] = []  # locals without a default, in the order in which they were set
        self.frames = [Frame(Kind.FUNC, -1, [], results, None)]

    # Operands

    def pop(self, want: ValType) -> StackType:
        """Takes an operand that must fit ``want``."""
        vals = self.vals
        if len(vals) > self.height:
            got = vals.pop()
            if got is want or fits(got, want):
                return got
            raise mismatch([want], [got])
        if self.dead:
            return Bottom.VALUE
        raise mismatch([want], [])

    def pop_any(self) -> StackType:
        """Takes an operand of whatever type."""
        if len(self.vals) > self.height:
            return self.vals.pop()
        if self.dead:
            return Bottom.VALUE
        raise Invalid("type mismatch: instruction requires an operand but stack has []")

    def pop_ref(self) -> RefType | Bottom:
        """Takes a reference of whatever type; ``Bottom.REF`` where the type is open."""
        got = self.pop_any()
        if isinstance(got, RefType):
            return got
        if isinstance(got, Bottom):
            return Bottom.REF
        raise Invalid(f"type mismatch: instruction requires a reference but stack has {show([got])}")

    def pop_list(self, want: Sequence[ValType]) -> list[StackType]:
        """Takes operands that must fit ``want``, the last on top; gives what they were."""
        vals = self.vals
        at = len(vals) - len(want)
        if at >= self.height:
            got = vals[at:]
            del vals[at:]
            if got == want:
                return got
            missing = 0
        else:
            got = vals[self.height :]
            missing = self.height - at
            if not self.dead:
                raise mismatch(want, got)
            del vals[self.height :]
        for have, need in zip(got, want[missing:], strict=True):
            if have is not need and not fits(have, need):
                raise mismatch(want, got)
        return [Bottom.VALUE] * missing + got

    def push_list(self, types: Sequence[StackType]) -> None:
        """Puts operands on the stack, the last on top."""
        self.vals += types
        if len(self.vals) > MAX_OPERANDS:
            raise Exhausted(f"more than {MAX_OPERANDS} operands on the stack")

    def stop(self) -> None:
        """What follows in this block is unreachable."""
        del self.vals[self.height :]
        self.dead = True
        self.live = False

    # Blocks

    def open(self, kind: Kind, params: list[ValType], results: list[ValType]) -> None:
        """Enters a block whose parameters were just taken."""
        self.frames.append(Frame(kind, self.pc, params, results, self))
        self.height = len(self.vals)
        self.dead = False
        self.push_list(params)

    def close_arm(self) -> Frame:
        """Ends a part of the innermost block: exactly its results must be there. The stack is as before the block."""
        frame = self.frames[-1]
        vals = self.vals
        if vals[self.height :] == frame.results:
            del vals[self.height :]
        else:
            found = vals[self.height :]
            self.pop_list(frame.results)
            if len(vals) != self.height:
                raise Invalid(f"type mismatch: block requires {show(frame.results)} but stack has {show(found)}")
        for index in self.trail[frame.mark :]:
            del self.readable[index]
        del self.trail[frame.mark :]
        if frame.arm >= 0:
            self.matching[frame.arm] = self.pc
        return frame

    def next_arm(self, kind: Kind, types: Sequence[ValType]) -> None:
        """Begins the next part of the innermost block (``else`` or a ``catch``) with operands of ``types``."""
        frame = self.close_arm()
        frame.kind = kind
        frame.arm = self.pc
        self.dead = False
        self.live = frame.live
        self.push_list(types)

    def close(self) -> None:
        """Leaves the innermost block, whose last part was ended; its results are on the stack."""
        frame = self.frames.pop()
        if frame.opener >= 0:
            self.ends[frame.opener] = self.pc
        self.height = frame.height
        self.dead = frame.dead
        self.live = frame.live
        self.push_list(frame.results)

    def frame(self, depth: int) -> Frame:
        """The block that label ``depth`` names."""
        if not 0 <= depth < len(self.frames):
            raise Invalid(f"unknown label {depth}")
        return self.frames[-1 - depth]

    def innermost(self, *kinds: Kind) -> Frame:
        """The innermost block, in which this instruction may only stand if it is of one of these kinds."""
        frame = self.frames[-1]
        if frame.kind not in kinds:
            raise Malformed("unexpected token: no block here that it divides or ends")
        return frame

    # Locals

    def local(self, index: int) -> ValType:
        """The declared type of a local that is no parameter; ``Invalid`` ("unknown local") if there is none."""
        run = bisect_right(self.local_ends, index) - 1
        if not 0 <= run < len(self.local_types):
            raise Invalid(f"unknown local {index}")
        return self.local_types[run]

    def read(self, index: int) -> ValType:
        """The type of a local that is not known to be readable yet, if it has a value from the start."""
        valtype = self.local(index)
        if not defaultable(valtype):
            raise Invalid(f"uninitialized local {index}")
        self.readable[index] = valtype
        return valtype

    def write(self, index: int) -> None:
        """Takes a value for a local, which may be read from now on (to the end of this block, without a default)."""
        readable = self.readable
        valtype = readable.get(index)
        if valtype is None:
            valtype = self.local(index)
            self.pop(valtype)
            readable[index] = valtype
            if not defaultable(valtype):
                self.trail.append(index)
        else:
            self.pop(valtype)
