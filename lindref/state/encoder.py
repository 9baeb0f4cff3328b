"""Values to canonical bytes (``state.wire``)."""

from __future__ import annotations

import enum

from lindref.state import wire
from lindref.state.digest import digest, enum_key, set_order
from lindref.state.pmap import LIMIT, PMap
from lindref.state.schema import BY_CLASS, Schema


class _Number:
    """A bare number among the values still to be written (the distance of a key)."""

    __slots__ = ("n",)

    def __init__(self, n: int) -> None:
        self.n = n


class _End:
    """The end of a record or map among the values still to be written: from here on it has a number."""

    __slots__ = ("digest",)

    def __init__(self, digest: bytes) -> None:
        self.digest = digest


def encode(value: object) -> bytes:
    """The canonical bytes of a value; ``TypeError`` for one that a state cannot hold."""
    return _Encoder().run(value)


class _Encoder:
    """One encoding: what was written so far, and what can be referred to."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.seen: dict[bytes, int] = {}
        self.classes: dict[type, int] = {}

    def run(self, value: object) -> bytes:
        """Write ``value``; an explicit stack, so nesting has no bound."""
        out = self.out
        todo: list[object] = [value]
        while todo:
            v = todo.pop()
            kind = type(v)
            if isinstance(v, int) and kind is int:
                if 0 <= v < wire.SMALL_COUNT:
                    out.append(wire.SMALL + v)
                else:
                    self.integer(v)
            elif v is None:
                out.append(wire.NONE)
            elif isinstance(v, bool):
                out.append(wire.TRUE if v else wire.FALSE)
            elif isinstance(v, tuple) and kind is tuple:
                out.append(wire.TUPLE)
                self.number(len(v))
                todo.extend(reversed(v))
            elif isinstance(v, bytes | bytearray) and (kind is bytes or kind is bytearray):
                out.append(wire.BYTES)
                self.data(v)
            elif isinstance(v, str) and kind is str:
                out.append(wire.STR)
                self.data(v.encode("utf-8", "surrogatepass"))
            elif isinstance(v, float) and kind is float:
                out.append(wire.FLOAT)
                out += wire.DOUBLE.pack(v)
            elif isinstance(v, frozenset) and kind is frozenset:
                out.append(wire.SET)
                self.number(len(v))
                todo.extend(reversed(set_order(v)))
            elif isinstance(v, PMap) and kind is PMap:
                if not self.again(v):
                    self.map(v, todo)
            elif isinstance(v, _Number):
                self.number(v.n)
            elif isinstance(v, _End):
                self.seen.setdefault(v.digest, len(self.seen))
            else:
                self.object(v, todo)
        return bytes(out)

    def again(self, v: object) -> bool:
        """Write a reference to ``v`` if an equal record or map was written before."""
        number = self.seen.get(digest(v))
        if number is None:
            return False
        self.out.append(wire.AGAIN)
        self.number(number)
        return True

    def map(self, v: PMap[object], todo: list[object]) -> None:
        """Begin a map: its entries are put on the stack."""
        self.out.append(wire.MAP)
        self.number(len(v))
        rest: list[object] = []
        before = -1
        for k, value in v.items():
            rest.append(_Number(k - before - 1))
            rest.append(value)
            before = k
        rest.append(_End(digest(v)))
        todo.extend(reversed(rest))

    def object(self, v: object, todo: list[object]) -> None:
        """Begin a record, or write an enum member."""
        schema = BY_CLASS.get(type(v))
        if schema is None:
            raise TypeError(f"a state cannot hold a {type(v).__qualname__}")
        if isinstance(v, enum.Enum):
            self.out.append(wire.ENUM)
            self.schema(schema)
            todo.append(enum_key(schema, v))
            return
        if schema.cached:
            if self.again(v):
                return
            todo.append(_End(digest(v)))
        self.out.append(wire.RECORD)
        self.schema(schema)
        todo.extend(getattr(v, name) for name in reversed(schema.fields))

    def schema(self, schema: Schema) -> None:
        """Write which class follows, and at its first appearance what it is."""
        number = self.classes.get(schema.cls)
        if number is not None:
            self.number(number)
            return
        self.number(len(self.classes))
        self.classes[schema.cls] = len(self.classes)
        self.data(schema.name.encode())
        self.number(schema.version)
        self.number(len(schema.fields))

    def integer(self, v: int) -> None:
        """Write an int that has no tag of its own."""
        n = v if v >= 0 else -1 - v
        if n < LIMIT:
            self.out.append(wire.INT if v >= 0 else wire.NEG)
            self.number(n)
        else:
            self.out.append(wire.BIG if v >= 0 else wire.BIGNEG)
            self.data(n.to_bytes((n.bit_length() + 7) // 8, "big"))

    def data(self, data: bytes | bytearray) -> None:
        """Write bytes after their count."""
        self.number(len(data))
        self.out += data

    def number(self, n: int) -> None:
        """Write LEB128."""
        out = self.out
        while n >= 0x80:
            out.append(n & 0x7F | 0x80)
            n >>= 7
        out.append(n)
