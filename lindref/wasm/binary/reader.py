"""A position in the bytes of a module, and what every part of the format reads from there (spec §5.1, §5.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from lindref.wasm.binary.leb import read_signed, read_unsigned
from lindref.wasm.errors import Malformed, Unsupported
from lindref.wasm.features import BUILT, Feature

T = TypeVar("T")

ENDED = "unexpected end of section or function"


def unsupported(feature: Feature, where: str = "") -> Unsupported:
    """The error for a module that needs ``feature``."""
    state = "not enabled" if feature in BUILT else "not built"
    return Unsupported(f"feature {feature.value} is {state}", where)


class Reader:
    """Bytes, a position in them, and the features they are read under.

    Reading past the end of the *file* is "unexpected end"; sections and bodies that read past their own end are
    found out when their size is compared, as in the reference interpreter: the official messages depend on it.
    """

    __slots__ = ("data", "features", "pos")

    def __init__(self, data: bytes, features: frozenset[Feature], pos: int = 0) -> None:
        self.data = data
        self.features = features
        self.pos = pos

    def malformed(self, message: str, pos: int | None = None) -> Malformed:
        """The error ``message`` at ``pos`` (here, if not given), to be raised."""
        return Malformed(message, self.where(pos))

    def where(self, pos: int | None = None) -> str:
        """The place ``pos`` (here, if not given) as people read it."""
        return f"offset 0x{self.pos if pos is None else pos:x}"

    def need(self, feature: Feature) -> None:
        """Go on only where ``feature`` is built and enabled; raises ``Unsupported``."""
        if feature not in self.features or feature not in BUILT:
            raise unsupported(feature, self.where())

    def byte(self) -> int:
        """One byte."""
        pos = self.pos
        if pos >= len(self.data):
            raise self.malformed(ENDED)
        self.pos = pos + 1
        return self.data[pos]

    def peek(self) -> int:
        """The next byte without taking it; -1 at the end of the file."""
        return self.data[self.pos] if self.pos < len(self.data) else -1

    def zero(self) -> None:
        """A reserved byte that must be zero."""
        if self.byte() != 0:
            raise self.malformed("zero byte expected", self.pos - 1)

    def unsigned(self, bits: int) -> int:
        """An unsigned LEB128 integer of at most ``bits`` bits."""
        try:
            value, self.pos = read_unsigned(self.data, self.pos, bits)
        except IndexError:
            raise self.malformed(ENDED, len(self.data)) from None
        return value

    def u32(self) -> int:
        """An unsigned 32-bit LEB128 integer."""
        pos = self.pos
        with_next = self.data[pos : pos + 2]
        if with_next and with_next[0] < 0x80:
            self.pos = pos + 1
            return with_next[0]
        if len(with_next) == 2 and with_next[1] < 0x80:
            self.pos = pos + 2
            return with_next[0] & 0x7F | with_next[1] << 7
        return self.unsigned(32)

    def signed(self, bits: int) -> int:
        """A signed LEB128 integer of ``bits`` bits."""
        try:
            value, self.pos = read_signed(self.data, self.pos, bits)
        except IndexError:
            raise self.malformed(ENDED, len(self.data)) from None
        return value

    def length(self) -> int:
        """A number of entries or bytes to come, never many more than there are bytes left.

        What is left is counted with the number itself, as in the reference interpreter: one entry announced at the
        very end of the file is "unexpected end", not "length out of bounds".
        """
        pos = self.pos
        count = self.u32()
        if count > len(self.data) - pos:
            raise self.malformed("length out of bounds", pos)
        return count

    def vector(self, element: Callable[[Reader], T]) -> tuple[T, ...]:
        """A counted sequence of what ``element`` reads."""
        return tuple([element(self) for _ in range(self.length())])

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        end = self.pos + count
        if count < 0 or end > len(self.data):
            raise self.malformed(ENDED, len(self.data))
        taken = self.data[self.pos : end]
        self.pos = end
        return taken

    def name(self) -> str:
        """A name: counted UTF-8 without surrogates or overlong forms."""
        pos = self.pos
        raw = self.take(self.length())
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise self.malformed("malformed UTF-8 encoding", pos) from None
