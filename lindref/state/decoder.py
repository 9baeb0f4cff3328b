"""Canonical bytes (``state.wire``) to values, strictly."""

from __future__ import annotations

import enum

from lindref.state import wire
from lindref.state.digest import digest, enum_key, set_order
from lindref.state.errors import StateError
from lindref.state.pmap import LIMIT, PMap
from lindref.state.schema import BY_NAME, Schema


def decode(data: bytes) -> object:
    """The value whose canonical bytes these are.

    Raises ``StateError`` naming the offset for anything else: cut off, continued, unknown or ill-formed
    classes, forms that ``encode`` would not have chosen. Executes nothing, and takes memory in proportion to
    ``data``.
    """
    decoder = _Decoder(data)
    value = decoder.run()
    if decoder.at != len(data):
        raise StateError("bytes after the end of the value", f"offset {decoder.at}")
    return value


class _Open:
    """A container that is being read: what it is, where it began, and what it holds so far."""

    __slots__ = ("keys", "left", "schema", "start", "tag", "values")

    def __init__(self, tag: int, left: int, start: int, schema: Schema | None) -> None:
        self.tag = tag
        self.left = left  # values still to be read
        self.start = start
        self.schema = schema
        self.keys: list[int] = []
        self.values: list[object] = []


class _Decoder:
    """One decoding: the bytes, the place in them, and what can be referred to."""

    def __init__(self, data: bytes) -> None:
        self.bytes = data
        self.at = 0
        self.seen: list[object] = []
        self.digests: set[bytes] = set()
        self.classes: list[Schema] = []

    def run(self) -> object:
        """Read one value; open containers are on a stack of ours, so nesting has no bound but the input."""
        stack: list[_Open] = []
        while True:
            value = self.value()
            while True:  # close what is complete
                if isinstance(value, _Open):
                    if value.left:
                        stack.append(value)
                        break
                    value = self.close(value)
                elif stack:
                    top = stack[-1]
                    top.values.append(value)
                    top.left -= 1
                    if top.left:
                        break
                    stack.pop()
                    value = self.close(top)
                else:
                    return value
            if stack[-1].tag == wire.MAP:
                self.key(stack[-1])

    def value(self) -> object:
        """Read a value, or the beginning of a container (``_Open``)."""
        start = self.at
        tag = self.take(1)[0]
        if tag >= wire.SMALL:
            return tag - wire.SMALL
        if tag <= wire.TRUE:
            return (None, False, True)[tag]
        if tag <= wire.BIGNEG:
            return self.integer(tag, start)
        if tag == wire.FLOAT:
            result: float = wire.DOUBLE.unpack(self.take(8))[0]
            return result
        if tag == wire.STR:
            return self.string()
        if tag == wire.BYTES:
            return self.take(self.number())
        if tag in (wire.TUPLE, wire.SET, wire.MAP):
            return self.container(tag, start)
        if tag == wire.RECORD:
            schema = self.schema()
            if schema.is_enum:
                raise self.error(f"{schema.name!r} is an enum, not a record", start)
            return _Open(tag, len(schema.fields), start, schema)
        if tag == wire.ENUM:
            schema = self.schema()
            if not schema.is_enum:
                raise self.error(f"{schema.name!r} is a record, not an enum", start)
            return _Open(tag, 1, start, schema)
        if tag == wire.AGAIN:
            number = self.number()
            if number >= len(self.seen):
                raise self.error(f"a reference to object {number}, which is not complete yet", start)
            return self.seen[number]
        raise self.error(f"unknown tag 0x{tag:02x}", start)

    def container(self, tag: int, start: int) -> _Open:
        """Begin a tuple, set or map, whose declared length must be possible."""
        count = self.number()
        if count * (2 if tag == wire.MAP else 1) > len(self.bytes) - self.at:
            raise self.error(f"{count} values are declared, but the bytes end sooner", start)
        return _Open(tag, count, start, None)

    def key(self, top: _Open) -> None:
        """Read the distance of the next key of a map."""
        start = self.at
        k = self.number() + (top.keys[-1] + 1 if top.keys else 0)
        if k >= LIMIT:
            raise self.error(f"key {k} is not in 0..2**64-1", start)
        top.keys.append(k)

    def close(self, done: _Open) -> object:
        """The container, all of whose values have been read."""
        tag = done.tag
        if tag == wire.TUPLE:
            return tuple(done.values)
        if tag == wire.SET:
            return self.set(done)
        if tag == wire.ENUM:
            return self.member(done)
        if tag == wire.MAP:
            value: object = PMap(zip(done.keys, done.values, strict=True))
        else:
            assert done.schema is not None
            try:
                value = done.schema.cls(*done.values)
            except (TypeError, ValueError) as error:
                text = " ".join(str(error).split())
                raise self.error(f"not a {done.schema.name!r}: {text}", done.start) from error
            if not done.schema.cached:
                return value
        try:
            known = digest(value)
        except TypeError as error:
            raise self.error(str(error), done.start) from error
        if known in self.digests:
            raise self.error("an object is written a second time instead of referred to", done.start)
        self.digests.add(known)
        self.seen.append(value)
        return value

    def set(self, done: _Open) -> frozenset[object]:
        """A set, whose elements must be in canonical order."""
        values = done.values
        if not all(type(v) is int or type(v) is str for v in values):
            raise self.error("a set holds something else than integers and strings", done.start)
        made = frozenset(values)
        if set_order(made) != values:
            raise self.error("a set is not in order", done.start)
        return made

    def member(self, done: _Open) -> object:
        """The enum member that a name or number stands for."""
        schema, key = done.schema, done.values[0]
        assert schema is not None
        try:
            member: object = None
            if schema.is_flag and type(key) is int:
                member = schema.cls(key)
            elif not schema.is_flag and isinstance(key, str):
                member = schema.cls.__members__.get(key)  # type: ignore[attr-defined]
            if isinstance(member, enum.Enum) and enum_key(schema, member) == key:
                return member
        except ValueError:
            member = None
        what = f"{key!r:.60}" if isinstance(key, str) else "of that kind or number"
        raise self.error(f"the enum {schema.name!r} has no member {what}", done.start)

    def schema(self) -> Schema:
        """Read a class."""
        start = self.at
        number = self.number()
        if number < len(self.classes):
            return self.classes[number]
        if number > len(self.classes):
            raise self.error(f"class {number} is used before it is described", start)
        name = self.string()
        version = self.number()
        count = self.number()
        schema = BY_NAME.get((name, version))
        if schema is None:
            raise self.error(f"unknown record {name!r:.60} version {version}", start)
        if any(known is schema for known in self.classes):
            raise self.error(f"the record {name!r} is described twice", start)
        if count != len(schema.fields):
            raise self.error(f"the record {name!r} has {len(schema.fields)} fields, not {count}", start)
        self.classes.append(schema)
        return schema

    def integer(self, tag: int, start: int) -> int:
        """Read the contents of an int, which must be in its shortest form."""
        if tag in (wire.INT, wire.NEG):
            n = self.number()
            if tag == wire.INT and n < wire.SMALL_COUNT:
                raise self.error("an integer is not in its shortest form", start)
            return n if tag == wire.INT else -1 - n
        data = self.take(self.number())
        n = int.from_bytes(data, "big")
        if n < LIMIT or not data[0]:
            raise self.error("an integer is not in its shortest form", start)
        return n if tag == wire.BIG else -1 - n

    def string(self) -> str:
        """Read a count and UTF-8."""
        start = self.at
        try:
            return str(self.take(self.number()), "utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise self.error("a string is not UTF-8", start) from None

    def number(self) -> int:
        """Read LEB128 in its shortest form, below 2**64."""
        start = self.at
        data = self.bytes
        n = shift = 0
        while True:
            if self.at >= len(data):
                raise self.error("the bytes end within a number", start)
            byte = data[self.at]
            self.at += 1
            n |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift >= 70:
                raise self.error("a number has more than 64 bits", start)
        if n >= LIMIT:
            raise self.error("a number has more than 64 bits", start)
        if shift and not byte:
            raise self.error("a number is not in its shortest form", start)
        return n

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        end = self.at + count
        if end > len(self.bytes):
            raise self.error(f"{count} more bytes are declared than there are", self.at)
        data = self.bytes[self.at : end]
        self.at = end
        return data

    def error(self, message: str, offset: int) -> StateError:
        """The error for a place."""
        return StateError(message, f"offset {offset}")
