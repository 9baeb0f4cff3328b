"""Values of C types: what they say, and what they consist of."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lindref import classes
from lindref.debug.places import Bytes, InMemory, Unavailable, Where
from lindref.debug.types import Array, Base, CType, Enum, FunctionType, Pointer, Struct, Void

if TYPE_CHECKING:
    from lindref.vm.memory import Memory

#: Bytes of text that are shown of a string; elements that are shown of an array.
TEXT = 200
ELEMENTS = 1000
_FEW = 8


@classes.frozen
class Value:
    """A value of a type at a place; ``memory`` is what pointers in it point into. ``bits`` of a bit field from
    ``shift``, 0 for no bit field."""

    type: CType
    where: Where
    memory: Memory | None
    bits: int = 0
    shift: int = 0

    @property
    def address(self) -> int | None:
        """Where it is in memory, if it is there."""
        return self.where.address if isinstance(self.where, InMemory) else None

    def read(self) -> bytes:
        """Its bytes; raises ``Unavailable``."""
        return self.where.read(self.type.size)

    def number(self) -> int | float:
        """A number, pointer, enumerator or truth value as a number; raises ``Unavailable`` for what is none."""
        plain = self.type.plain
        if isinstance(plain, Array):
            if self.address is None:
                raise Unavailable("an array that is not in memory has no address")
            return self.address
        if isinstance(plain, FunctionType) and self.address is not None:
            return self.address
        if not isinstance(plain, Base | Pointer | Enum):
            raise Unavailable(f"{self.type.name} is not a number")
        return decode(plain, self.read(), self.bits, self.shift)

    # What it consists of.

    def members(self) -> Iterator[tuple[str, Value]]:
        """The parts of a structure, array or what a pointer points to, with what to write for each behind the value."""
        plain = self.type.plain
        if isinstance(plain, Struct):
            for member in plain.members:
                yield from self._member_of(member.name, plain)
        elif isinstance(plain, Array):
            for i in range(min(plain.count or 0, ELEMENTS)):
                yield f"[{i}]", self.element(i)
        elif isinstance(plain, Pointer) and not isinstance(plain.target.plain, Void | FunctionType):
            target = self.target()
            if isinstance(target.type.plain, Struct):
                yield from target.members()
            else:
                yield "*", target

    def _member_of(self, name: str, plain: Struct) -> Iterator[tuple[str, Value]]:
        for member in plain.members:
            if member.name == name:
                part = Value(member.type, self.where.plus(member.offset), self.memory, member.bits, member.shift)
                if name:
                    yield name, part
                else:
                    yield from part.members()
                return

    @property
    def has_parts(self) -> bool:
        """Whether ``members`` gives anything."""
        plain = self.type.plain
        if isinstance(plain, Pointer):
            return not isinstance(plain.target.plain, Void | FunctionType) and self._pointee() != 0
        return isinstance(plain, Struct) or (isinstance(plain, Array) and bool(plain.count))

    def _pointee(self) -> int:
        try:
            return int(self.number())
        except Unavailable:
            return 0

    def member(self, name: str) -> Value | None:
        """The member of that name, also of one that has no name itself."""
        plain = self.type.plain
        for one in plain.members if isinstance(plain, Struct) else ():
            if one.name == name or not one.name:
                part = Value(one.type, self.where.plus(one.offset), self.memory, one.bits, one.shift)
                found = part if one.name else part.member(name)
                if found is not None:
                    return found
        return None

    def element(self, index: int) -> Value:
        """Element ``index`` of an array, or so many elements behind what a pointer points to."""
        plain = self.type.plain
        if isinstance(plain, Array):
            return Value(plain.element, self.where.plus(index * plain.element.size), self.memory)
        target = self.target()
        return Value(target.type, target.where.plus(index * max(target.type.size, 1)), self.memory)

    def target(self) -> Value:
        """What a pointer points to; raises ``Unavailable``."""
        plain = self.type.plain
        if isinstance(plain, Array):
            return self.element(0)
        if not isinstance(plain, Pointer) or self.memory is None:
            raise Unavailable(f"{self.type.name} is no pointer")
        return Value(plain.target, InMemory(self.memory, int(self.number())), self.memory)

    # What it says.

    def text(self) -> str:
        """In one line, as C would write it; what cannot be had is said in angle brackets."""
        try:
            return self._text(0)
        except Unavailable as why:
            return f"<{why}>"

    def _text(self, depth: int) -> str:
        plain = self.type.plain
        if isinstance(plain, Base):
            return number_text(plain, decode(plain, self.read(), self.bits, self.shift))
        if isinstance(plain, Enum):
            number = decode(plain, self.read(), self.bits, self.shift)
            return next((name for name, value in plain.values if value == number), str(number))
        if isinstance(plain, Pointer):
            return self._pointer_text(plain)
        if isinstance(plain, Array):
            return self._array_text(plain, depth)
        if isinstance(plain, Struct):
            if depth > 2:
                return "{…}"
            parts = [f".{name} = {part.text_within(depth)}" for name, part in self.members()]
            return "{" + ", ".join(parts[:_FEW]) + (", …" if len(parts) > _FEW else "") + "}"
        return "<no value>" if isinstance(plain, Void) else f"{self.type.name}"

    def text_within(self, depth: int) -> str:
        """The text as part of another value; ``depth``: how deep in others that is."""
        try:
            return self._text(depth + 1)
        except Unavailable as why:
            return f"<{why}>"

    def _pointer_text(self, plain: Pointer) -> str:
        address = int(self.number())
        target = plain.target.plain
        if isinstance(target, Base) and target.char and target.size == 1 and address and self.memory is not None:
            data = self.memory.read_cstr(address, TEXT)
            if data is not None:
                return f"{address:#x} {quoted(data)}{'…' if len(data) == TEXT else ''}"
        return f"{address:#x}"

    def _array_text(self, plain: Array, depth: int) -> str:
        inner = plain.element.plain
        if isinstance(inner, Base) and inner.char and inner.size == 1 and plain.count:
            data = self.where.read(min(plain.count, TEXT))
            text = data.rstrip(b"\0")
            return quoted(text) + ("…" if plain.count > TEXT else "")
        if depth > 2:
            return "{…}"
        count = plain.count or 0
        parts = [self.element(i).text_within(depth) for i in range(min(count, _FEW))]
        return "{" + ", ".join(parts) + (", …" if count > _FEW else "") + "}"


def decode(plain: CType, data: bytes, bits: int = 0, shift: int = 0) -> int | float:
    """The number that bytes are, of a number's type, a pointer's or an enumeration's."""
    if isinstance(plain, Base) and plain.kind == "float":
        if plain.size in (4, 8):
            number: float = struct.unpack("<f" if plain.size == 4 else "<d", data)[0]
            return number
        raise Unavailable(f"{plain.name} is not known here")
    whole = int.from_bytes(data, "little")
    width = 8 * len(data)
    if bits:
        whole, width = whole >> shift & (1 << bits) - 1, bits
    signed = plain.kind == "signed" if isinstance(plain, Base) else isinstance(plain, Enum) and _negative(plain)
    return whole - (1 << width) if signed and width and whole >> width - 1 else whole


def _negative(plain: Enum) -> bool:
    return any(value < 0 for _, value in plain.values)


def encode(plain: CType, number: float) -> bytes:
    """The bytes of a number in a type; raises ``Unavailable`` for types that hold no numbers."""
    if isinstance(plain, Base) and plain.kind == "float" and plain.size in (4, 8):
        try:
            return struct.pack("<f" if plain.size == 4 else "<d", float(number))
        except OverflowError:
            raise Unavailable(f"{number} is too large for {plain.name}") from None
    if not isinstance(plain, Base | Pointer | Enum):
        raise Unavailable(f"{plain.name} is not a number")
    if not math.isfinite(number):
        raise Unavailable(f"{number} is no whole number")
    whole = int(bool(number)) if isinstance(plain, Base) and plain.kind == "bool" else int(number)
    return (whole & (1 << 8 * plain.size) - 1).to_bytes(plain.size, "little")


def number_text(plain: Base, number: float) -> str:
    """A number as C would write it; a character with what it stands for."""
    if plain.kind == "bool":
        return "true" if number else "false"
    if plain.kind == "float":
        return f"{number:.9g}" if plain.size == 4 else repr(float(number))
    if plain.char and plain.size == 1:
        code = int(number) & 0xFF
        return f"{int(number)} {quoted(bytes([code]), chr(39))}"
    return str(number)


_ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 92: "\\\\", 0: "\\0"}


def quoted(data: bytes, quote: str = '"') -> str:
    """Bytes as a C literal: UTF-8 as it is, what cannot be shown escaped."""
    out = []
    for char in data.decode("utf-8", "surrogateescape"):
        code = ord(char)
        if char == quote:
            out.append("\\" + quote)
        elif code in _ESCAPES:
            out.append(_ESCAPES[code])
        elif 0xDC80 <= code <= 0xDCFF:
            out.append(f"\\x{code - 0xDC00:02x}")
        else:
            out.append(char if char.isprintable() else f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
    return quote + "".join(out) + quote


def computed(kind: CType, number: float, memory: Memory | None) -> Value:
    """A value that is nowhere."""
    return Value(kind, Bytes(encode(kind.plain, number)), memory)
