"""The values of steps: integers, pointers, results, words in memory (FORMAT.md, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lindref.conformance.vectors.image import RESULTS, Program, buffer, literal
from lindref.conformance.vectors.model import Json
from lindref.threei.numbers import MEMORY_FLAG, UNUSED
from lindref.vm.memory import Memory

if TYPE_CHECKING:
    from lindref.system.guests import CageGuest

_MASK = (1 << 64) - 1
_LOW = 0xFFFFFFFF


def offset(given: Sequence[Json]) -> int:
    """The offset of a value that has one."""
    return int(given[1]) if len(given) > 1 else 0


class Values:
    """What values mean to one process image (and, in a handler, to the call that is being served)."""

    def __init__(self, guest: CageGuest, program: Program) -> None:
        self.guest = guest
        self.program = program
        #: The pairs of the call that a handler serves, and its own results.
        self.pairs: tuple[int, ...] = ()
        self.private: dict[str, int] | None = None

    def copy(self, guest: CageGuest) -> Values:
        """The same, for a forked cage or another thread."""
        other = Values(guest, self.program)
        other.pairs = self.pairs
        other.private = None if self.private is None else dict(self.private)
        return other

    @property
    def memory(self) -> Memory:
        """The cage's memory."""
        return self.guest.memory

    def pointer(self, address: int) -> int:
        """The host address of a guest address."""
        return self.guest.base + (address & _LOW)

    # Results.

    def result(self, step: str) -> int:
        """The result of a step, 0 while it has none."""
        if self.private is not None:
            return self.private.get(step, 0)
        number = self.program.numbers.get(step)
        return 0 if number is None else self._stored(number)

    def _stored(self, number: int) -> int:
        data = self.memory.try_read(RESULTS + 16 * number + 8, 8)
        return int.from_bytes(data or b"", "little", signed=True)

    def set_result(self, step: str, value: int) -> None:
        """Keep a step's result, as memory of the process or (in a handler) of the invocation."""
        if self.private is not None:
            self.private[step] = value
        else:
            data = (1).to_bytes(8, "little") + value.to_bytes(8, "little", signed=True)
            self.memory.try_write(RESULTS + 16 * self.program.numbers[step], data)

    def serve(self, pairs: tuple[int, ...]) -> None:
        """Begin as a handler of a call: with a private copy of the results there are."""
        self.pairs = pairs
        self.private = {step: self._stored(number) for step, number in self.program.numbers.items()}

    # Values.

    def value(self, given: Json) -> int:
        """A value, 64 bits."""
        return self._signed(given) & _MASK

    def _signed(self, given: Json) -> int:
        if isinstance(given, int):
            return given
        if isinstance(given, str):
            return UNUSED if given == "unused" else self.guest.cage  # "self" and "own"
        kind, what = next(iter(given.items()))
        match kind:
            case "str" | "hexstr" | "buf" | "guest" | "at":
                return self.pointer(self.guest_address(given))
            case "bufaddr" | "straddr":
                return self.guest_address(given)
            case "res":
                return self.result(what[0]) + offset(what)
            case "i32" | "u32" | "u64":
                width = 8 if kind == "u64" else 4
                data = self.memory.try_read(buffer(what[0]) + offset(what), width) or b""
                return int.from_bytes(data, "little", signed=kind == "i32")
            case "harg":
                return self._handled(2 * (what - 1))
            case "hcage":
                return self._handled(2 * (what - 1) + 1)
            case "flag63":
                return self.value(what) | MEMORY_FLAG
        msg = f"no value: {given!r}"
        raise ValueError(msg)

    def _handled(self, place: int) -> int:
        """A value of the call that is being served; 0 outside a handler."""
        return self.pairs[place] if self.pairs else 0

    def guest_address(self, given: Json) -> int:
        """The guest address that a pointer (or the result of a mapping call) stands for."""
        text = literal(given)
        if text is not None:
            return self.program.literals[text]
        if isinstance(given, dict):
            kind, what = next(iter(given.items()))
            if kind in ("buf", "bufaddr"):
                return buffer(what[0]) + offset(what)
            if kind == "guest":
                return int(what) & _LOW
            if kind == "at":
                return (self.result(what[0]) & _LOW) + offset(what) & _LOW
        return self.value(given) & _LOW
