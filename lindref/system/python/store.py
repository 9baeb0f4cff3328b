"""What a grate keeps from call to call: mappings from plain keys to plain values, as part of the system's state.

``Entries`` is the frozen form; ``Store`` is the mapping that an author sees. Rules PY-6, PY-7.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Protocol

from lindref.state.codec import encode
from lindref.state.pmap import PMap
from lindref.state.records import record
from lindref.system.python import plain


@record("python.entry")
class Entry:
    """A key and its value."""

    key: Any
    value: Any


#: Entries by the number of their key (``plain.name_of``); keys of one number stand beside each other.
Entries = PMap[tuple[Entry, ...]]


def look(entries: Entries, key: Any) -> Entry | None:
    """The entry of a frozen key."""
    return next((one for one in entries.get(plain.name_of(key), ()) if encode(one.key) == encode(key)), None)


def with_entry(entries: Entries, key: Any, value: Any) -> Entries:
    """``entries`` with a frozen value at a frozen key."""
    number = plain.name_of(key)
    others = tuple(one for one in entries.get(number, ()) if encode(one.key) != encode(key))
    return entries.set(number, (*others, Entry(key, value)))


def without(entries: Entries, key: Any) -> Entries:
    """``entries`` without a frozen key, which is there."""
    number = plain.name_of(key)
    others = tuple(one for one in entries[number] if encode(one.key) != encode(key))
    return entries.set(number, others) if others else entries.remove(number)


class Keeper(Protocol):
    """Who holds the entries of a grate: a handler on its way, or whoever looks from outside."""

    def look_up(self, scope: int, key: Any) -> tuple[bool, Any]:
        """Whether there is a value at ``key`` (frozen), and the value."""

    def put(self, scope: int, key: Any, value: Any) -> None:
        """Set a value."""

    def drop(self, scope: int, key: Any) -> None:
        """Remove a key that is there."""

    def keys(self, scope: int) -> tuple[Any, ...]:
        """All keys, in the order of what they are written as."""


class Store(MutableMapping[Any, Any]):
    """A mapping that lives in the system's state. Keys and values are plain data; what is read cannot be changed in
    place: read it, make a changed one, and store that.

    ``scope`` 0 belongs to the whole grate, any other to the cage of that number (PY-6).
    """

    def __init__(self, keeper: Keeper, scope: int) -> None:
        self._keeper = keeper
        self._scope = scope

    def __getitem__(self, key: object) -> Any:
        there, value = self._keeper.look_up(self._scope, plain.freeze(key, "a key"))
        if not there:
            raise KeyError(key)
        return plain.thaw(value)

    def __setitem__(self, key: object, value: object) -> None:
        self._keeper.put(self._scope, plain.freeze(key, "a key"), plain.freeze(value, f"the value of {key!r}"))

    def __delitem__(self, key: object) -> None:
        frozen = plain.freeze(key, "a key")
        if not self._keeper.look_up(self._scope, frozen)[0]:
            raise KeyError(key)
        self._keeper.drop(self._scope, frozen)

    def __iter__(self) -> Iterator[Any]:
        return iter([plain.thaw(key) for key in self._keeper.keys(self._scope)])

    def __len__(self) -> int:
        return len(self._keeper.keys(self._scope))

    def __repr__(self) -> str:
        return repr(dict(self))


def ordered_keys(entries: Entries) -> tuple[Any, ...]:
    """All keys of ``entries``, in the order of what they are written as."""
    return tuple(sorted((one.key for bucket in entries.values() for one in bucket), key=encode))
