"""Equality of states: exact in types, floats by bits, without recursion.

Python's own ``==`` will not do: ``1 == True == 1.0``, ``0.0 == -0.0``, and a NaN differs from itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from lindref.state.schema import BY_CLASS

_bits = Struct("<d").pack

#: A byte array in a state is the bytes it holds: whoever puts one there has given it up.
_BYTES = (bytes, bytearray)


class Pairwise:
    """A container that can line itself up with another of its class."""

    __slots__ = ()

    def state_pairs(self, other: object) -> Iterable[tuple[object, object]] | None:
        """The pairs of values that must be identical for both to be; ``None`` if their shapes differ."""
        return () if self is other else None


def identical(first: object, second: object) -> bool:
    """Whether two values are the same state.

    They are exactly when their encodings (``state.codec.encode``) are equal. Values that a state cannot hold
    are compared with ``==``.
    """
    todo: list[tuple[object, object]] = [(first, second)]
    while todo:
        a, b = todo.pop()
        if a is b:
            continue
        kind = type(a)
        if kind is not type(b) and not (kind in _BYTES and type(b) in _BYTES):
            return False
        if isinstance(a, float) and isinstance(b, float):
            if _bits(a) != _bits(b):
                return False
        elif isinstance(a, tuple) and isinstance(b, tuple):
            if len(a) != len(b):
                return False
            todo.extend(zip(a, b, strict=True))
        elif isinstance(a, Pairwise):
            pairs = a.state_pairs(b)
            if pairs is None:
                return False
            todo.extend(pairs)
        else:
            schema = BY_CLASS.get(kind)
            if schema is None or schema.is_enum:
                if a != b:
                    return False
                continue
            if schema.cached:
                left, right = getattr(a, "_digest", None), getattr(b, "_digest", None)
                if left is not None and right is not None:
                    if left != right:
                        return False
                    continue
            todo.extend((getattr(a, name), getattr(b, name)) for name in schema.fields)
    return True
