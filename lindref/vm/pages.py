"""Sparse arrays of pages: what memories and files keep their bytes in.

A store is a persistent map of frozen pages, and over it the live ones: byte arrays, some of them written since
the last freeze (*dirty*). Freezing makes the dirty ones frozen pages as they are, without a copy; the next write
copies. A fork only lays them over the map as they are, for both sides: they become frozen pages when somebody wants
the value, which may be never. Who holds a live page for writing must let go of it at each freeze and fork; for reading
it may be kept until the page is next written.

Letters: ``p`` the number of a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from lindref.state.pmap import PMap
from lindref.state.records import record
from lindref.vm.limits import Budget

#: Bytes in a page, and how far a byte offset is shifted to make a page number.
PAGE: Final = 4096
SHIFT: Final = 12
MASK: Final = PAGE - 1

#: What an absent page holds.
ZERO: Final = bytes(PAGE)


@record("vm.page")
class Page:
    """A frozen page: ``data`` is 4096 bytes, which nobody writes any more."""

    data: bytes | bytearray

    def __attrs_post_init__(self) -> None:
        if len(self.data) != PAGE:
            raise ValueError(f"a page has 4096 bytes, not {len(self.data)}")


# A fork makes one of every page written: two calls that are not Python's are a third of what the constructor takes.
_blank: Final = Page.__new__
_fill: Final[Callable[[Page, bytes | bytearray], None]] = Page.__dict__["data"].__set__  # its slot


class Layer:
    """What a fork handed over: pages over a map, which nobody writes any more. ``olds``, if known, says for each what
    the map has there; ``size`` is how many pages there are in all."""

    __slots__ = ("_map", "base", "data", "olds", "size")

    def __init__(
        self, base: PMap[Page], data: dict[int, bytearray], olds: dict[int, bytes | bytearray | None] | None, size: int
    ) -> None:
        self.base = base
        self.data = data
        self.olds = olds
        self.size = size
        self._map: PMap[Page] | None = None

    @property
    def map(self) -> PMap[Page]:
        """All of it as a map, made once for all who share this."""
        if self._map is None:
            olds = self.olds
            if olds is None:
                pages = [(p, self.base.get(p)) for p in self.data]
                olds = {p: None if page is None else page.data for p, page in pages}
            self._map = _merged(self.base, self.data, olds)
        return self._map


def _merged(
    base: PMap[Page],
    data: Mapping[int, bytes | bytearray],
    olds: Mapping[int, bytes | bytearray | None],
) -> PMap[Page]:
    """A map with other pages; those that hold what they did stay the objects they are."""
    changed: dict[int, Page] = {}
    for p, now in data.items():
        if olds[p] != now:
            changed[p] = page = _blank(Page)
            _fill(page, now)
    return base.update(changed)


#: A layer with more pages than this, and more than so many times what is to be laid over it, is made a map first.
_THIN: Final = 64
_TIMES: Final = 4


class PageStore:
    """A sparse array of bytes that is all zero at first.

    A page is *present* from its first write on, even if only zeros were written; presence is part of the state
    (it is what counts against limits, and what a file occupies on disk).
    """

    __slots__ = ("budget", "dirty", "fresh", "frozen", "layer", "live")

    def __init__(self, budget: Budget | None = None) -> None:
        self.frozen: PMap[Page] = PMap()
        self.layer: Layer | None = None  # lies over `frozen`
        self.live: dict[int, bytearray] = {}
        self.dirty: dict[int, bytes | bytearray | None] = {}  # live pages written since, and what was there before
        self.fresh = 0  # how many dirty pages were absent before
        self.budget = budget

    @classmethod
    def thaw(cls, pages: PMap[Page], budget: Budget | None = None) -> PageStore:
        """A store that holds ``pages``."""
        store = cls(budget)
        store.start(pages)
        return store

    def start(self, pages: PMap[Page]) -> None:
        """Hold ``pages``, in a store that is new."""
        if self.budget is not None:
            self.budget.take(len(pages))
        self.frozen = pages

    def freeze(self) -> PMap[Page]:
        """The pages as a value. No live page may be written after this before ``own`` is asked for it."""
        self._flatten()
        if self.dirty:
            olds, self.dirty = self.dirty, {}
            self.frozen = _merged(self.frozen, self._given(olds), olds)
            self.fresh = 0
        return self.frozen

    def fork(self) -> PageStore:
        """A store that is the same now and goes its own way; as for ``freeze``, no live page may be written after.

        Costs next to nothing, however much was written.
        """
        if self.dirty:
            size, layer = len(self), self.layer
            data: dict[int, bytearray] = self.live
            olds: dict[int, bytes | bytearray | None] | None = self.dirty
            if layer is not None:
                if len(layer.data) > max(_THIN, _TIMES * len(data)):
                    self._flatten()
                else:
                    data, olds = layer.data | data, None
            self.layer = Layer(self.frozen, data, olds, size)
            self.live, self.dirty, self.fresh = {}, {}, 0
        other = PageStore(self.budget)
        if self.budget is not None:
            self.budget.take(len(self))
        other.frozen, other.layer = self.frozen, self.layer
        return other

    def _flatten(self) -> None:
        """No layer any more."""
        if self.layer is not None:
            self.frozen, self.layer = self.layer.map, None

    def __len__(self) -> int:
        """How many pages are present."""
        return (len(self.frozen) if self.layer is None else self.layer.size) + self.fresh

    def present(self, p: int) -> bool:
        """Whether page ``p`` was ever written."""
        return p in self.dirty or self._before(p) is not None

    def _before(self, p: int) -> bytes | bytearray | None:
        """What page ``p`` was at the last freeze or fork; ``None`` if absent."""
        if self.layer is not None:
            found = self.layer.data.get(p)
            if found is not None:
                return found
        page = self.frozen.get(p)
        return None if page is None else page.data

    def present_in(self, start: int, stop: int) -> list[int]:
        """The pages ``start <= p < stop`` that are present, ascending."""
        if stop - start <= 64:
            return [p for p in range(start, stop) if self.present(p)]
        found = {p for p in self.dirty if start <= p < stop}
        if self.layer is not None:
            found.update(p for p in self.layer.data if start <= p < stop)
        for p in self.frozen.keys(start):
            if p >= stop:
                break
            found.add(p)
        return sorted(found)

    def peek(self, p: int) -> bytes | bytearray:
        """Page ``p``, to be read until it is next written."""
        live = self.live.get(p)
        if live is not None:
            return live
        found = self._before(p)
        return ZERO if found is None else found

    def own(self, p: int, initial: bytes | bytearray = ZERO) -> bytearray:
        """Page ``p``, to be written until the next freeze; if it was absent, it begins as ``initial``.

        ``Exhaustion`` if that is a page more than the budget allows.
        """
        live = self.live.get(p)
        if p in self.dirty and live is not None:
            return live
        old = self._before(p)
        if old is None:
            if self.budget is not None:
                self.budget.take(1)
            self.fresh += 1
        if live is None:
            live = self.live[p] = bytearray(initial if old is None else old)
        self.dirty[p] = old
        return live

    def cut(self, start: int, stop: int) -> None:
        """Make the pages ``start <= p < stop`` absent."""
        if self.layer is not None and self.present_in(start, stop):
            self._flatten()
        before = len(self)
        live = self.live
        gone = range(start, stop) if stop - start < len(live) else [p for p in live if start <= p < stop]
        for p in gone:
            if p in live:
                self._forget(p)
                if p in self.dirty:
                    del self.dirty[p]
                    self.fresh -= p not in self.frozen
        if self.layer is None:
            self.frozen = self.frozen.cut(start, stop)
        if self.budget is not None:
            self.budget.give(before - len(self))

    def _given(self, dirty: Mapping[int, Any]) -> Mapping[int, bytes | bytearray]:
        """What the dirty pages hold, for frozen pages: nobody may write them any more."""
        given, self.live = self.live, {}
        assert len(given) == len(dirty)  # here every live page is dirty
        return given

    def _forget(self, p: int) -> None:
        """Let go of the live page ``p``."""
        del self.live[p]

    def close(self) -> None:
        """Let go of everything; the store is empty after that."""
        if self.budget is not None:
            self.budget.give(len(self))
        self.frozen = PMap()
        self.layer = None
        self.live.clear()
        self.dirty.clear()
        self.fresh = 0

    def read(self, offset: int, n: int) -> bytes:
        """The ``n`` bytes from ``offset`` on."""
        p, at = offset >> SHIFT, offset & MASK
        if at + n <= PAGE:
            return bytes(self.peek(p)[at : at + n])
        parts = []
        while n > 0:
            piece = self.peek(p)[at : at + n]
            parts.append(piece)
            n -= len(piece)
            p += 1
            at = 0
        return b"".join(parts)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Put ``data`` at ``offset``."""
        p, at = offset >> SHIFT, offset & MASK
        n = len(data)
        if at + n <= PAGE:
            if n:
                self.own(p)[at : at + n] = data
            return
        view = memoryview(data)
        done = 0
        while done < n:
            size = min(PAGE - at, n - done)
            self.own(p)[at : at + size] = view[done : done + size]
            done += size
            p += 1
            at = 0

    def clear(self, offset: int, n: int) -> None:
        """Make ``n`` bytes from ``offset`` on zero; pages that lie wholly inside become absent."""
        end = offset + n
        first, last = -(-offset >> SHIFT), end >> SHIFT
        if first > last:  # within one page
            if self.present(last):
                self.own(last)[offset & MASK : end & MASK] = bytes(n)
            return
        if offset & MASK and self.present(first - 1):
            self.own(first - 1)[offset & MASK :] = bytes(-offset & MASK)
        if end & MASK and self.present(last):
            self.own(last)[: end & MASK] = bytes(end & MASK)
        self.cut(first, last)


class Backing(PageStore):
    """A store that memories map: a file, or anonymous memory that several share.

    Its live pages are never replaced by others, so that a memory may keep one for reading for as long as it
    maps it. The right to write to one directly is granted until the next freeze.
    """

    __slots__ = ("_grants", "_noted", "_number")

    def __init__(self, number: int, noted: set[int], budget: Budget | None = None) -> None:
        super().__init__(budget)
        self._number = number
        self._noted = noted  # the numbers of all backings that changed since the last freeze
        self._grants: dict[tuple[int, int], dict[int, bytearray]] = {}

    def steady(self, p: int) -> bytearray:
        """Page ``p``, to be read for ever: it shows every later write."""
        live = self.live.get(p)
        if live is None:
            live = self.live[p] = bytearray(self.peek(p))
        return live

    def grant(self, p: int, table: dict[int, bytearray], key: int) -> bytearray:
        """Page ``p``, to be written directly; it is put in ``table`` at ``key`` and taken out when no longer so."""
        page = self.own(p)
        table[key] = page
        self._grants[id(table), key] = table
        return page

    def own(self, p: int, initial: bytes | bytearray = ZERO) -> bytearray:
        """As for every store; notes that this one changed."""
        page = super().own(p, initial)
        self._noted.add(self._number)
        return page

    def freeze(self) -> PMap[Page]:
        """As for every store; takes back what was granted."""
        self._revoke()
        return super().freeze()

    def cut(self, start: int, stop: int) -> None:
        """As for every store; memories that map the pages see zeros."""
        self._revoke()
        super().cut(start, stop)
        self._noted.add(self._number)

    def close(self) -> None:
        """As for every store."""
        self._revoke()
        super().close()

    def _given(self, dirty: Mapping[int, Any]) -> Mapping[int, bytes | bytearray]:
        live = self.live
        return {p: bytes(live[p]) for p in dirty}  # those who keep it for reading are to see later writes

    def _forget(self, p: int) -> None:
        self.live[p][:] = ZERO

    def _revoke(self) -> None:
        for (_, key), table in self._grants.items():
            table.pop(key, None)
        self._grants.clear()


@record("vm.backings")
class BackingsState:
    """All backings as a value: the ``next`` number, and the pages of each by its number."""

    next: int
    pages: PMap[PMap[Page]]


class Backings:
    """The registry of backings. Whoever creates one says when it can be dropped."""

    __slots__ = ("_changed", "_frozen", "_next", "_state", "_stores", "budget")

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = budget
        self._next = 1
        self._stores: dict[int, Backing] = {}
        self._changed: set[int] = set()  # made or written since the last freeze
        self._frozen: PMap[PMap[Page]] = PMap()
        self._state: BackingsState | None = None

    @classmethod
    def thaw(cls, state: BackingsState, budget: Budget | None = None) -> Backings:
        """A registry that holds ``state``."""
        made = cls(budget)
        made._state = state
        made._next = state.next
        made._frozen = state.pages
        for number, pages in state.pages.items():
            store = made._stores[number] = Backing(number, made._changed, budget)
            store.start(pages)
        return made

    def freeze(self) -> BackingsState:
        """All backings as a value; costs what was written since the last freeze."""
        for number in sorted(self._changed):
            self._frozen = self._frozen.set(number, self._stores[number].freeze())
        self._changed.clear()
        state = self._state
        if state is None or state.next != self._next or state.pages is not self._frozen:
            self._state = state = BackingsState(self._next, self._frozen)
        return state

    def number_from(self, number: int) -> int:
        """Give the next new backing ``number``; the number that it would have had."""
        before, self._next = self._next, number
        return before

    def create(self) -> int:
        """A new backing, all zero: its number, which is never used again."""
        number = self._next
        self._next += 1
        self._stores[number] = Backing(number, self._changed, self.budget)
        self._changed.add(number)
        return number

    def store(self, number: int) -> Backing:
        """The backing of that number; ``KeyError`` if there is none."""
        return self._stores[number]

    def drop(self, number: int) -> None:
        """Forget a backing, which nothing may map any more."""
        self._stores.pop(number).close()
        self._changed.discard(number)
        if number in self._frozen:
            self._frozen = self._frozen.remove(number)

    def __contains__(self, number: int) -> bool:
        return number in self._stores

    def numbers(self) -> list[int]:
        """The numbers of all backings, ascending."""
        return sorted(self._stores)
