"""Plain data: what a grate may keep, so that it freezes, hashes and saves with everything else (PY-7).

Frozen, a list is a tuple, a set a frozenset, a dict a ``Table``; what comes out again cannot be changed in place, so
nobody believes to have changed a state that he has only a copy of.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lindref.state.codec import encode
from lindref.state.records import record


class NotPlain(TypeError):
    """A value that a state cannot hold; one line."""


@record("python.table")
class Table:
    """A mapping, frozen: keys and their values in the order of insertion."""

    keys: tuple[Any, ...]
    values: tuple[Any, ...]


def freeze(value: object, what: str = "a value") -> Any:
    """``value`` as a state holds it; raises ``NotPlain``, which says ``what`` was to be kept."""
    if value is None or isinstance(value, bool | Table):
        return value
    for kind in (int, float, str, bytes):
        if isinstance(value, kind):
            return value if type(value) is kind else kind(value)  # type: ignore[arg-type]  # its own kind
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, tuple | list):
        return tuple(freeze(one, what) for one in value)
    if isinstance(value, set | frozenset):
        members = frozenset(freeze(one, what) for one in value)
        if all(isinstance(one, int | str) and not isinstance(one, bool) for one in members):
            return members
        raise NotPlain(f"{what}: a set may hold whole numbers and strings only")
    if isinstance(value, Mapping):
        keys = tuple(freeze(key, what) for key in value)
        return Table(keys, tuple(freeze(one, what) for one in value.values()))
    raise NotPlain(f"{what}: a {type(value).__name__} is no plain data (numbers, strings, bytes, tuples, sets, dicts)")


def thaw(value: Any) -> Any:
    """A frozen value as Python code sees it: nothing of it can be changed."""
    if isinstance(value, Table):
        return MappingProxyType(dict(zip(map(thaw, value.keys), map(thaw, value.values), strict=True)))
    if isinstance(value, tuple):
        return tuple(map(thaw, value))
    return value


def name_of(key: object) -> int:
    """The number under which a map keeps what belongs to ``key`` (frozen): 64 bits of what the key is written as."""
    from hashlib import blake2b

    return int.from_bytes(blake2b(encode(key), digest_size=8).digest(), "little")
