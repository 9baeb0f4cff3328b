"""Parts of the state as a turn sees them while it is watched: the same, but looking is noted (EXP-6).

Changes are not noted here: they are seen from what is different afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from lindref.explore.watch.footprint import BACKING, MEMORY, Touches
from lindref.posix.cage import Cage
from lindref.state import schema
from lindref.state.pmap import PMap
from lindref.threei.tables import HandlerTables
from lindref.vm.memory import Memory
from lindref.vm.pages import Backing, Backings


class MapView:
    """A persistent map called ``name``: an entry that is looked for is read, and the set of keys by who goes through
    all of them. What is changed is a view again, of the changed map.
    """

    __slots__ = ("_name", "_touches", "raw")

    def __init__(self, raw: PMap[Any], touches: Touches, name: str) -> None:
        self.raw = raw
        self._touches = touches
        self._name = name

    def _seen(self, key: int, value: Any) -> Any:
        self._touches.read((self._name, key))
        return value

    def _wrap(self, raw: PMap[Any]) -> Any:
        return type(self)(raw, self._touches, self._name)

    def get(self, key: int, default: Any = None) -> Any:
        """The value, or ``default``."""
        return self._seen(key, self.raw.get(key, default))

    def __getitem__(self, key: int) -> Any:
        return self._seen(key, self.raw[key])

    def __contains__(self, key: int) -> bool:
        self._touches.read((self._name, key))
        return key in self.raw

    def _keys(self) -> None:
        self._touches.read((self._name,))

    def __len__(self) -> int:
        self._keys()
        return len(self.raw)

    def __iter__(self) -> Iterator[int]:
        self._keys()
        return iter(self.raw)

    def keys(self, start: int = 0) -> Iterator[int]:
        """The keys."""
        self._keys()
        return self.raw.keys(start)

    def items(self, start: int = 0) -> Iterator[tuple[int, Any]]:
        """Keys and values."""
        self._keys()
        for key, value in self.raw.items(start):
            yield key, self._seen(key, value)

    def values(self, start: int = 0) -> Iterator[Any]:
        """The values."""
        for _, value in self.items(start):
            yield value

    def floor(self, key: int) -> tuple[int, Any] | None:
        """The entry of the largest key that is not above ``key``."""
        self._keys()
        found = self.raw.floor(key)
        return None if found is None else (found[0], self._seen(*found))

    def set(self, key: int, value: Any) -> Any:
        """The map with one more entry."""
        return self._wrap(self.raw.set(key, plain(value)))

    def update(self, items: Any) -> Any:
        """The map with more entries."""
        pairs = items.items() if isinstance(items, Mapping) else items
        return self._wrap(self.raw.update({key: plain(value) for key, value in pairs}))

    def remove(self, key: int) -> Any:
        """The map without an entry."""
        return self._wrap(self.raw.remove(key))

    def cut(self, start: int, stop: int) -> Any:
        """The map without some keys."""
        return self._wrap(self.raw.cut(start, stop))


class CageView:
    """A cage's record: each field that is looked at is read by itself. What ``replace`` makes of it is a record."""

    __slots__ = ("_id", "_touches", "raw")
    raw: Cage
    _touches: Touches
    _id: int

    def __new__(cls, *fields: Any) -> Any:
        """What ``replace`` calls with the fields."""
        return Cage(*(plain(field) for field in fields))

    @classmethod
    def of(cls, raw: Cage, touches: Touches) -> CageView:
        """A view of ``raw``."""
        view = object.__new__(cls)
        view.raw = raw
        view._touches = touches
        view._id = raw.id
        return view

    def __getattr__(self, field: str) -> Any:
        self._touches.read(("cages", self._id, field))
        return getattr(self.raw, field)


class CagesView(MapView):
    """The records of cages."""

    __slots__ = ()

    def _seen(self, key: int, value: Any) -> Any:
        self._touches.read((self._name, key))
        return value if value is None or isinstance(value, CageView) else CageView.of(value, self._touches)


class TablesView:
    """The handler tables; copies that ``replace`` makes of it are views, too."""

    __slots__ = ("_touches", "raw")
    raw: HandlerTables
    _touches: Touches

    def __new__(cls, *fields: Any) -> Self:
        """What ``replace`` calls with the fields."""
        touches = next(field for field in fields if isinstance(field, MapView))._touches  # noqa: SLF001
        return cls.of(HandlerTables(*map(plain, fields)), touches)

    @classmethod
    def of(cls, raw: HandlerTables, touches: Touches) -> Self:
        """A view of ``raw``."""
        view = object.__new__(cls)
        view.raw = raw
        view._touches = touches
        return view

    @property
    def rows(self) -> MapView:
        """The rows by cage."""
        return MapView(self.raw.rows, self._touches, "rows")

    @property
    def exiting(self) -> MapView:
        """The cages that are exiting or gone."""
        return MapView(self.raw.exiting, self._touches, "exiting")

    @property
    def parents(self) -> MapView:
        """Who stands above whom."""
        return MapView(self.raw.parents, self._touches, "parents")

    @property
    def panicked(self) -> MapView:
        """The cages in whose calls 3i panicked."""
        return MapView(self.raw.panicked, self._touches, "panicked")


schema.BY_CLASS[CageView] = schema.BY_CLASS[Cage]
schema.BY_CLASS[TablesView] = schema.BY_CLASS[HandlerTables]  # so that ``replace`` takes them for such


class MemoryView:
    """A cage's memory as calls see it."""

    __slots__ = ("_cage", "_touches", "raw")

    def __init__(self, raw: Memory, touches: Touches, cage: int) -> None:
        self.raw = raw
        self._touches = touches
        self._cage = cage

    def _note(self, start: int, count: int, *, write: bool = False) -> None:
        access(self._touches, self._cage, self.raw, start, count, write=write)

    def try_read(self, a: int, n: int) -> bytes | None:
        """See ``Memory``."""
        self._note(a, n)
        return self.raw.try_read(a, n)

    def try_write(self, a: int, data: Any) -> bool:
        """See ``Memory``."""
        self._note(a, len(data), write=True)
        return self.raw.try_write(a, data)

    def read_cstr(self, a: int, limit: int) -> bytes | None:
        """See ``Memory``."""
        found = self.raw.read_cstr(a, limit)
        self._note(a, 1 if found is None else min(len(found) + 1, limit))
        return found

    def _mapped(self, a: int, n: int) -> None:
        """Whether pages are there was looked at: who maps or unmaps them changes their pages."""
        _, part = self._touches.places.span(MEMORY, self._cage, a, min(max(n, 1), 1 << 20))
        self._touches.adds |= part

    def readable(self, a: int, n: int) -> bool:
        """See ``Memory``."""
        self._mapped(a, n)
        return self.raw.readable(a, n)

    def writable(self, a: int, n: int) -> bool:
        """See ``Memory``."""
        self._mapped(a, n)
        return self.raw.writable(a, n)

    def place(self, a: int) -> tuple[int | None, int] | None:
        """See ``Memory``."""
        self._mapped(a, 1)
        return self.raw.place(a)

    def map(self, first: int, count: int, *rest: Any, **named: Any) -> None:
        """See ``Memory``."""
        self._change(first, count)
        self.raw.map(first, count, *rest, **named)

    def unmap(self, first: int, count: int) -> None:
        """See ``Memory``."""
        self._change(first, count)
        self.raw.unmap(first, count)

    def protect(self, first: int, count: int, prot: int) -> None:
        """See ``Memory``."""
        self._change(first, count)
        self.raw.protect(first, count, prot)

    def _change(self, first: int, count: int) -> None:
        touches = self._touches
        changed, part = touches.places.range(MEMORY, self._cage, first << 12, count << 12)
        touches.changes |= changed
        touches.adds |= part

    def __getattr__(self, name: str) -> Any:
        """Whatever else is asked of it may be about all of it."""
        self._touches.whole(MEMORY, self._cage, write=True)
        return getattr(self.raw, name)


def access(touches: Touches, cage: int, memory: Memory, start: int, count: int, *, write: bool) -> None:
    """Bytes of ``cage``'s memory are read, or written; those of shared pages are the page store's."""
    touches.bytes(MEMORY, cage, start, count, write=write)
    if not backed(memory):
        return
    at = start
    end = start + max(count, 1)
    while at < end:
        region = memory.region_at(at >> 12)
        stop = min(end, region.end << 12 if region is not None else (at | 4095) + 1)
        if region is not None and region.backing is not None:
            if region.private:
                touches.whole(BACKING, region.backing, write=False)
            else:
                offset = at - ((region.first - region.backing_page) << 12)
                touches.bytes(BACKING, region.backing, offset, stop - at, write=write)
        at = stop


def backed(memory: Memory) -> bool:
    """Whether any of its pages belong to a page store that others may map."""
    return any(region.backing is not None for region in memory.regions.values())


class BackingView:
    """A page store, as calls on files see it."""

    __slots__ = ("_number", "_touches", "raw")

    def __init__(self, raw: Backing, touches: Touches, number: int) -> None:
        self.raw = raw
        self._touches = touches
        self._number = number

    def read(self, offset: int, n: int) -> bytes:
        """See ``PageStore``."""
        self._touches.bytes(BACKING, self._number, offset, n, write=False)
        return self.raw.read(offset, n)

    def write(self, offset: int, data: Any) -> None:
        """See ``PageStore``."""
        self._touches.bytes(BACKING, self._number, offset, len(data), write=True)
        self.raw.write(offset, data)

    def __len__(self) -> int:
        self._touches.whole(BACKING, self._number, write=False)
        return len(self.raw)

    def __getattr__(self, name: str) -> Any:
        self._touches.whole(BACKING, self._number, write=True)
        return getattr(self.raw, name)


class BackingsView:
    """The registry of page stores."""

    __slots__ = ("_touches", "raw")

    def __init__(self, raw: Backings, touches: Touches) -> None:
        self.raw = raw
        self._touches = touches

    def store(self, number: int) -> BackingView:
        """See ``Backings``."""
        self._touches.read((BACKING, number, "there"))
        return BackingView(self.raw.store(number), self._touches, number)

    def create(self) -> int:
        """See ``Backings``."""
        self._touches.change(("backings",))
        return self.raw.create()

    def drop(self, number: int) -> None:
        """See ``Backings``."""
        self._touches.change((BACKING, number, "there"))
        self._touches.whole(BACKING, number, write=True)
        self.raw.drop(number)

    def __contains__(self, number: int) -> bool:
        self._touches.read((BACKING, number, "there"))
        return number in self.raw

    def __getattr__(self, name: str) -> Any:
        self._touches.change(("backings",))
        return getattr(self.raw, name)


_VIEWS = (MapView, CageView, TablesView, MemoryView, BackingView, BackingsView)


def plain(value: Any) -> Any:
    """What a view shows; anything else is itself."""
    return value.raw if isinstance(value, _VIEWS) else value
