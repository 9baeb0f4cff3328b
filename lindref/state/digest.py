"""Digests of states: 16 bytes of BLAKE2b, the same for two values exactly when they are the same state.

Records and the nodes of maps keep theirs, so the digest of a state costs what is new in it (a Merkle tree).
What is hashed for a value is its *text*: a tag, then its contents, where a record or map stands as its
digest.
Nothing here recurses: a chain of a million records is as good as one.
"""

from __future__ import annotations

import enum
from struct import Struct
from typing import Final

from lindref.hashing import blake2b
from lindref.state.pmap import Node, PMap
from lindref.state.schema import BY_CLASS, Schema

#: Bytes in a digest.
SIZE: Final = 16

_double = Struct("<d").pack

# Each kind of text begins with its own byte.
_NONE, _FALSE, _TRUE, _INT, _FLOAT, _STR, _BYTES, _TUPLE, _SET, _MAP = range(10)
_RECORD, _ENUM, _DIGEST, _LEAF, _BRANCH = range(10, 15)


def digest(value: object) -> bytes:
    """The digest of any value that a state can hold; ``TypeError`` for another."""
    kept = _kept(value)
    if kept is not None:
        return kept
    todo: list[object] = [value]
    result = b""
    while todo:
        top = todo[-1]
        if len(todo) > 1 and _kept(top) is not None:  # asked for twice, and done by now
            todo.pop()
            continue
        missing: list[object] = []
        text = _node_text(top, missing) if isinstance(top, Node) else _text(top, missing)
        if missing:
            todo.extend(missing)
            continue
        todo.pop()
        result = blake2b(text, digest_size=SIZE).digest()
        if isinstance(top, Node):
            top.digest = result
        elif _is_cached(top):
            object.__setattr__(top, "_digest", result)
    return result


def same(first: object, second: object) -> bool:
    """Whether two values are the same state, by digest: floats by bits, types exact."""
    return first is second or digest(first) == digest(second)


def _kept(value: object) -> bytes | None:
    """The digest of a record or node, if it is known already."""
    if isinstance(value, Node):
        return value.digest
    return getattr(value, "_digest", None) if _is_cached(value) else None


def _is_cached(value: object) -> bool:
    schema = BY_CLASS.get(type(value))
    return schema is not None and schema.cached


def _node_text(node: Node, missing: list[object]) -> bytearray:
    """A node of a map: its entries in order, kids by digest."""
    out = bytearray()
    kids = node.kids
    if node.shift:
        out.append(_BRANCH)
        _number(out, node.shift)
        for q in sorted(kids):
            kid = kids[q]
            if kid.digest is None:
                missing.append(kid)
            else:
                out += kid.digest
        return out
    out.append(_LEAF)
    for k in sorted(kids):
        _number(out, k)
        _write(out, kids[k], missing)
    return out


def _text(value: object, missing: list[object]) -> bytearray:
    """The text of ``value`` itself; records and nodes inside it that have no digest yet join ``missing``."""
    out = bytearray()
    schema = BY_CLASS.get(type(value))
    if schema is not None and schema.cached:
        _head(out, _RECORD, schema)
        for name in schema.fields:
            _write(out, getattr(value, name), missing)
    else:
        _write(out, value, missing)
    return out


def _write(out: bytearray, value: object, missing: list[object]) -> None:
    """Append the text of a value inside another."""
    todo = [value]
    while todo:
        v = todo.pop()
        kind = type(v)
        if isinstance(v, int) and kind is int:
            out.append(_INT)
            _number(out, v)
        elif v is None:
            out.append(_NONE)
        elif isinstance(v, bool):
            out.append(_TRUE if v else _FALSE)
        elif isinstance(v, bytes | bytearray) and kind in (bytes, bytearray):
            out.append(_BYTES)
            _number(out, len(v))
            out += v
        elif isinstance(v, str) and kind is str:
            data = v.encode("utf-8", "surrogatepass")
            out.append(_STR)
            _number(out, len(data))
            out += data
        elif isinstance(v, tuple) and kind is tuple:
            out.append(_TUPLE)
            _number(out, len(v))
            todo.extend(reversed(v))
        elif isinstance(v, float) and kind is float:
            out.append(_FLOAT)
            out += _double(v)
        elif isinstance(v, PMap) and kind is PMap:
            root = v.root
            out.append(_MAP)
            _number(out, len(v))
            if root is not None:
                if root.digest is None:
                    missing.append(root)
                else:
                    out += root.digest
        elif isinstance(v, frozenset) and kind is frozenset:
            out.append(_SET)
            _number(out, len(v))
            todo.extend(reversed(set_order(v)))
        else:
            _write_object(out, v, todo, missing)


def _write_object(out: bytearray, v: object, todo: list[object], missing: list[object]) -> None:
    """Append the text of a registered record or enum; a class that is not registered is a ``TypeError``."""
    schema = BY_CLASS.get(type(v))
    if schema is None:
        raise TypeError(f"a state cannot hold a {type(v).__qualname__}")
    if isinstance(v, enum.Enum):
        _head(out, _ENUM, schema)
        todo.append(enum_key(schema, v))
    elif schema.cached:
        kept = getattr(v, "_digest", None)
        if kept is None:
            missing.append(v)
        else:
            out.append(_DIGEST)
            out += kept
    else:
        _head(out, _RECORD, schema)
        todo.extend(getattr(v, name) for name in reversed(schema.fields))


def _head(out: bytearray, tag: int, schema: Schema) -> None:
    name = schema.name.encode()
    out.append(tag)
    _number(out, len(name))
    out += name
    _number(out, schema.version)


def _number(out: bytearray, n: int) -> None:
    """Append an integer of any size so that no other text begins like it."""
    if 0 <= n < 0x80:
        out.append(n)
        return
    size = n.bit_length() // 8 + 1
    data = n.to_bytes(size, "little", signed=True)
    if size < 0x70:
        out.append(0x80 + size)
    else:
        out.append(0xFF)
        out += size.to_bytes(8, "little")
    out += data


def set_order(values: frozenset[object]) -> list[int | str]:
    """The elements in canonical order: ints, then strs; ``TypeError`` for a set of anything else."""
    ints = sorted(v for v in values if isinstance(v, int) and type(v) is int)
    strs = sorted(v for v in values if isinstance(v, str) and type(v) is str)
    if len(ints) + len(strs) != len(values):
        raise TypeError("a state can hold only sets of integers and strings")
    return [*ints, *strs]


def enum_key(schema: Schema, member: enum.Enum) -> str | int:
    """What stands for an enum member: its name, or for a flag its number."""
    if schema.is_flag:
        return int(member.value)
    return member.name
