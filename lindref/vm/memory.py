"""Linear memories (spec §4.2.8), sparse, protected and copied on write in pages of 4 KiB.

A plain memory is one read-write region that ``grow`` extends. A Lind memory spans 4 GiB from the start and is
accessible where ``map`` and ``protect`` say; wasm cannot tell a page that is not accessible from the end of a
memory: both trap.

Letters: ``a`` a byte address, ``n`` a count of bytes, ``p`` the number of a page of 4096 bytes. Addresses are as
wasm computes them, up to 2**33: they never wrap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from lindref.state.pmap import PMap
from lindref.state.records import record
from lindref.vm import regions as region_map
from lindref.vm.limits import Budget
from lindref.vm.pages import MASK, PAGE, SHIFT, Backings, Page, PageStore
from lindref.vm.regions import PAGES, READ, WRITE, Region, Regions
from lindref.vm.traps import MEMORY_BOUNDS, Trap
from lindref.wasm.types import Limits, MemoryType

#: Bytes in a wasm page, in which sizes count.
WASM_PAGE: Final = 65536
#: The most wasm pages of a memory.
MAX_SIZE: Final = 65536

_PER_WASM_PAGE: Final = WASM_PAGE // PAGE


@record("vm.memory")
class MemoryState:
    """A memory as a value: ``size`` and ``maximum`` in wasm pages; ``pages`` are its own that were written.

    Backings that it maps are values of their own (``pages.BackingsState``).
    """

    size: int
    maximum: int | None
    shared: bool
    regions: PMap[Region]
    pages: PMap[Page]


class Watch(Protocol):
    """Who wants to know of writes to some pages."""

    @property
    def pages(self) -> frozenset[int]:
        """The pages."""

    def writes(self, memory: Memory, a: int, data: bytes | bytearray | memoryview) -> None:
        """``data`` is about to be put at ``a``, all within one of the pages; an exception prevents it."""


class Memory:
    """A live memory.

    ``rp`` and ``wp`` are the fast path: by page number the pages that may be read (written) at once, without
    further checks. They are always these two objects. Everything that takes away a right takes out the entry:
    ``freeze``, ``fork``, ``unmap``, ``protect``, and a freeze of what it maps.
    """

    __slots__ = (
        "_backings",
        "_budget",
        "_granted",
        "_state",
        "_watch",
        "maximum",
        "pages",
        "regions",
        "rp",
        "shared",
        "size",
        "wp",
    )

    def __init__(
        self,
        minimum: int,
        maximum: int | None = None,
        *,
        shared: bool = False,
        backings: Backings | None = None,
        budget: Budget | None = None,
    ) -> None:
        """A plain memory of ``minimum`` wasm pages, all zero; costs nothing until it is touched."""
        self.size = minimum
        self.maximum = maximum
        self.shared = shared
        self.regions: Regions = PMap()
        self.pages = PageStore(budget)
        self.rp: dict[int, bytes | bytearray] = {}
        self.wp: dict[int, bytearray] = {}
        self._backings = Backings() if backings is None else backings
        self._budget = budget
        self._state: MemoryState | None = None
        self._granted = False  # whether pages of others were ever in `wp`
        self._watch: Watch | None = None
        if minimum:
            self.regions = self.regions.set(0, Region(0, minimum * _PER_WASM_PAGE, READ | WRITE))

    @classmethod
    def of(cls, memorytype: MemoryType, budget: Budget | None = None) -> Memory:
        """A plain memory of a type."""
        limits = memorytype.limits
        return cls(limits.minimum, limits.maximum, shared=memorytype.shared, budget=budget)

    @classmethod
    def lind(cls, backings: Backings, budget: Budget | None = None) -> Memory:
        """A Lind memory: shared, 65,536 wasm pages, none of it mapped."""
        memory = cls(0, MAX_SIZE, shared=True, backings=backings, budget=budget)
        memory.size = MAX_SIZE
        return memory

    @property
    def type(self) -> MemoryType:
        """Its type at present: for import matching the minimum is the size."""
        return MemoryType(Limits(self.size, self.maximum), self.shared)

    def grow(self, delta: int) -> int:
        """``memory.grow``: ``delta`` wasm pages more; the size before, or -1 if there is no room."""
        before = self.size
        after = before + delta
        if after > MAX_SIZE or (self.maximum is not None and after > self.maximum):
            return -1
        if delta:
            more = Region(before * _PER_WASM_PAGE, delta * _PER_WASM_PAGE, READ | WRITE)
            self.regions = region_map.put(self.regions, more)
            self.size = after
        return before

    # The slow path of the machine: whatever is not a hit in `rp` or `wp`.

    def load(self, a: int, n: int) -> bytes:
        """``n`` bytes (at least 1) from ``a``; the trap "out of bounds memory access" if any is out of reach."""
        p, at = a >> SHIFT, a & MASK
        if at + n <= PAGE:
            page = self.rp.get(p)
            return bytes((self._readable(p) if page is None else page)[at : at + n])
        self._check(a, n, READ)
        return self._gather(a, n)

    def store(self, a: int, data: bytes | bytearray | memoryview) -> None:
        """Put ``data`` (at least 1 byte) at ``a``; the trap as for ``load``, and then nothing is written."""
        p, at = a >> SHIFT, a & MASK
        n = len(data)
        if at + n <= PAGE:
            page = self.wp.get(p)
            if page is None:
                page = self._writable(p)
                if self._watch is not None and p in self._watch.pages:
                    self._watch.writes(self, a, data)
            page[at : at + n] = data
            return
        self._check(a, n, WRITE)
        self._scatter(a, data)

    def load_slow(self, a: int, n: int) -> int:
        """``n`` bytes as an unsigned little-endian number; traps as ``load``."""
        return int.from_bytes(self.load(a, n), "little")

    def store_slow(self, a: int, n: int, value: int) -> None:
        """The unsigned number ``value`` as ``n`` bytes; traps as ``store``."""
        self.store(a, value.to_bytes(n, "little"))

    # Bulk instructions: they check the whole range first, and may be of no length even at the very end.

    def fill(self, a: int, value: int, n: int) -> None:
        """``memory.fill``: ``n`` bytes of ``value`` (0 to 255). Zeros do not touch pages never written."""
        self._check(a, n, WRITE)
        whole = bytes([value]) * PAGE
        for region in region_map.within(self.regions, a >> SHIFT, (a + n + MASK) >> SHIFT) if n else ():
            if value or region.backing is not None:
                wanted: range | list[int] = range(region.first, region.end)
            else:
                wanted = self.pages.present_in(region.first, region.end)
            for p in wanted:
                start, stop = max(a - (p << SHIFT), 0), min(a + n - (p << SHIFT), PAGE)
                page = self.wp.get(p)
                if page is None:
                    page = self._writable(p)
                    if self._watch is not None and p in self._watch.pages:
                        self._watch.writes(self, (p << SHIFT) + start, whole[start:stop])
                page[start:stop] = whole[start:stop]

    def copy(self, to: int, a: int, n: int, source: Memory | None = None) -> None:
        """``memory.copy``: ``n`` bytes at ``a`` (of ``source``, if given) to ``to``, as if all were read first.

        Beyond a page's length, what was never written in the source is ``fill``ed with zeros here.
        """
        source = self if source is None else source
        source._check(a, n, READ)  # noqa: SLF001 (one of us)
        self._check(to, n, WRITE)
        if 0 < n <= PAGE:
            self.store(to, source.load(a, n))
            return
        pieces = list(source._pieces(a, n)) if n else []  # noqa: SLF001 (one of us)
        for size, data in pieces:
            if data is None:
                self.fill(to, 0, size)
            else:
                self._scatter(to, data)
            to += size

    def init(self, a: int, data: bytes | memoryview) -> None:
        """``memory.init`` and active segments: put ``data`` at ``a``."""
        self._check(a, len(data), WRITE)
        if data:
            self._scatter(a, data)

    # For kernels: faults are answers, not traps.

    def readable(self, a: int, n: int) -> bool:
        """Whether all of the ``n`` bytes from ``a`` on can be read; always for ``n`` 0."""
        return n == 0 or self._allowed(a, n, READ)

    def writable(self, a: int, n: int) -> bool:
        """Whether all of the ``n`` bytes from ``a`` on can be written; always for ``n`` 0."""
        return n == 0 or self._allowed(a, n, WRITE)

    def try_read(self, a: int, n: int) -> bytes | None:
        """The ``n`` bytes from ``a`` on, or ``None`` if any cannot be read (of none: if ``a`` is past the end)."""
        if not self._allowed(a, n, READ):
            return None
        return self._gather(a, n) if n else b""

    def try_write(self, a: int, data: bytes | bytearray | memoryview) -> bool:
        """Put ``data`` at ``a``; ``False``, and nothing written, if any of it cannot be (as ``try_read``)."""
        if not self._allowed(a, len(data), WRITE):
            return False
        if data:
            self._scatter(a, data)
        return True

    def read_cstr(self, a: int, limit: int) -> bytes | None:
        """The bytes from ``a`` to the next NUL, without it: at most ``limit``, which says that there is none.

        ``None`` if a byte on the way cannot be read.
        """
        parts: list[bytes] = []
        while limit > 0:
            size = min(limit, PAGE - (a & MASK))  # a page can be read or not, as one
            try:
                piece = self.load(a, size)
            except Trap:
                return None
            end = piece.find(0)
            if end >= 0:
                parts.append(piece[:end])
                break
            parts.append(piece)
            limit -= size
            a += size
        return b"".join(parts)

    def place(self, a: int) -> tuple[int | None, int] | None:
        """Where the byte at ``a`` really is, for what must be one thing in all memories that share it.

        ``(backing, offset in it)`` for a page shared with others, ``(None, a)`` for one of its own, ``None``
        where nothing is mapped.
        """
        region = self.region_at(a >> SHIFT)
        if region is None:
            return None
        if region.backing is None or region.private:
            return None, a
        return region.backing, a - ((region.first - region.backing_page) << SHIFT)

    # Mapping.

    def map(
        self,
        first: int,
        count: int,
        prot: int,
        backing: int | None = None,
        backing_page: int = 0,
        *,
        shared: bool = True,
    ) -> None:
        """Map ``count`` pages from page ``first`` on, instead of what was there.

        Without ``backing`` they are the memory's own and zero. With it they show its pages from ``backing_page``
        on; if not ``shared``, each until this memory first writes it. ``ValueError`` beyond 4 GiB.
        """
        self._drop(first, count)
        if count:
            page, private = (0, False) if backing is None else (backing_page, not shared)
            self.regions = region_map.put(self.regions, Region(first, count, prot, backing, page, private))

    def unmap(self, first: int, count: int) -> None:
        """Unmap ``count`` pages from page ``first`` on, as far as they are mapped; what was in them is lost."""
        self._drop(first, count)
        self.regions = region_map.remove(self.regions, first, first + count)

    def protect(self, first: int, count: int, prot: int) -> None:
        """Give ``count`` pages from page ``first`` on another protection, as far as they are mapped."""
        self._forget(first, count)
        self.regions = region_map.protect(self.regions, first, first + count, prot)

    def region_at(self, page: int) -> Region | None:
        """The region that page ``page`` lies in."""
        return region_map.at(self.regions, page)

    def is_mapped(self, first: int, count: int = 1) -> bool:
        """Whether all of ``count`` pages from page ``first`` on are mapped, with whatever protection."""
        return self._allowed(first << SHIFT, count << SHIFT, 0)

    def backing_numbers(self) -> list[int]:
        """The backings that are mapped anywhere, ascending."""
        return sorted({r.backing for r in self.regions.values() if r.backing is not None})

    def watch(self, watch: Watch | None) -> None:
        """Have every write to the pages of ``watch`` told to it, or to nobody; no part of the memory's state."""
        self._watch = watch
        for p in () if watch is None else watch.pages:
            self.wp.pop(p, None)

    # Copies and values.

    def fork(self) -> Memory:
        """A memory that is the same now and goes its own way, but for shared backings.

        Costs next to nothing: what was written becomes frozen pages when the memory is wanted as a value.
        """
        other = Memory(0, self.maximum, shared=self.shared, backings=self._backings)
        other._budget = self._budget
        other.size = self.size
        other.regions = self.regions
        self._take_back()
        other.pages = self.pages.fork()
        return other

    def freeze(self) -> MemoryState:
        """The memory as a value; costs what was written since the last freeze."""
        self._take_back()
        pages = self.pages.freeze()
        state = self._state
        if state is None or state.pages is not pages or state.regions is not self.regions:
            state = MemoryState(self.size, self.maximum, self.shared, self.regions, pages)
            self._state = state
        return state

    @classmethod
    def thaw(cls, state: MemoryState, backings: Backings | None = None, budget: Budget | None = None) -> Memory:
        """A live memory in this state, over backings that were thawed before."""
        memory = cls(0, state.maximum, shared=state.shared, backings=backings)
        memory._budget = budget
        memory.size = state.size
        memory.regions = state.regions
        memory.pages = PageStore.thaw(state.pages, budget)
        memory._state = state
        return memory

    def close(self) -> None:
        """Unmap everything and give back what it holds: nobody uses this memory any more."""
        self.rp.clear()
        self.wp.clear()
        self.regions = PMap()
        self.pages.close()
        self._state = None

    # Within.

    def _take_back(self) -> None:
        """The right to write pages of its own, all of which are dirty, is taken back."""
        if self._granted:
            for p in self.pages.dirty:
                self.wp.pop(p, None)
        else:
            self.wp.clear()

    def _readable(self, p: int) -> bytes | bytearray:
        """Page ``p``, which goes into ``rp``; or the trap."""
        region = self.region_at(p)
        if region is None or not region.prot & READ:
            raise Trap(MEMORY_BOUNDS)
        if region.backing is None or (region.private and self.pages.present(p)):
            page = self.pages.peek(p)
        else:
            page = self._backings.store(region.backing).steady(region.backing_page + p - region.first)
        self.rp[p] = page
        return page

    def _writable(self, p: int) -> bytearray:
        """Page ``p``, which goes into ``wp``; or the trap."""
        region = self.region_at(p)
        if region is None or not region.prot & WRITE:
            raise Trap(MEMORY_BOUNDS)
        if region.backing is None:
            page = self.pages.own(p)
            self.wp[p] = page
        else:
            backing = self._backings.store(region.backing)
            number = region.backing_page + p - region.first
            if region.private:
                page = self.pages.own(p, backing.peek(number))
                self.wp[p] = page
            else:
                page = backing.grant(number, self.wp, p)
                self._granted = True
        if region.prot & READ:
            self.rp[p] = page
        if self._watch is not None and p in self._watch.pages:
            self.wp.pop(p, None)  # every write comes by here
        return page

    def _allowed(self, a: int, n: int, prot: int) -> bool:
        """Whether the ``n`` bytes from ``a`` on are mapped with all of ``prot``."""
        if n <= 0:
            return a <= self.size * WASM_PAGE
        p, last = a >> SHIFT, (a + n - 1) >> SHIFT
        while p <= last:
            region = self.region_at(p)
            if region is None or region.prot & prot != prot:
                return False
            p = region.end
        return True

    def _check(self, a: int, n: int, prot: int) -> None:
        if not self._allowed(a, n, prot):
            raise Trap(MEMORY_BOUNDS)

    def _gather(self, a: int, n: int) -> bytes:
        """``n`` bytes from ``a`` on, which are known to be readable."""
        p, at = a >> SHIFT, a & MASK
        parts = []
        while n > 0:
            page = self.rp.get(p)
            piece = (self._readable(p) if page is None else page)[at : at + n]
            parts.append(piece)
            n -= len(piece)
            p += 1
            at = 0
        return b"".join(parts)

    def _scatter(self, a: int, data: bytes | bytearray | memoryview) -> None:
        """Put ``data`` at ``a``, where writing is known to be allowed."""
        p, at = a >> SHIFT, a & MASK
        view = memoryview(data)
        n = len(view)
        done = 0
        while done < n:
            size = min(PAGE - at, n - done)
            page = self.wp.get(p)
            if page is None:
                page = self._writable(p)
                if self._watch is not None and p in self._watch.pages:
                    self._watch.writes(self, (p << SHIFT) + at, view[done : done + size])
            page[at : at + size] = view[done : done + size]
            done += size
            p += 1
            at = 0

    def _pieces(self, a: int, n: int) -> Iterator[tuple[int, bytes | None]]:
        """``n`` readable bytes from ``a`` on as runs of bytes; ``None`` for those never written."""
        for region in region_map.within(self.regions, a >> SHIFT, (a + n + MASK) >> SHIFT):
            start, stop = max(a, region.first << SHIFT), min(a + n, region.end << SHIFT)
            if region.backing is not None:
                yield stop - start, self._gather(start, stop - start)
                continue
            for p in self.pages.present_in(region.first, region.end):
                low, high = max(start, p << SHIFT), min(stop, (p + 1) << SHIFT)
                if low > start:
                    yield low - start, None
                yield high - low, self._gather(low, high - low)
                start = high
            if stop > start:
                yield stop - start, None

    def _drop(self, first: int, count: int) -> None:
        """Lose what is in ``count`` pages from page ``first`` on."""
        if first < 0 or count < 0 or first + count > PAGES:
            raise ValueError(f"pages {first} to {first + count} are not within a memory of {PAGES} pages")
        self._forget(first, count)
        self.pages.cut(first, first + count)

    def _forget(self, first: int, count: int) -> None:
        """Take the pages out of the fast path."""
        tables: tuple[dict[int, bytes | bytearray] | dict[int, bytearray], ...] = (self.rp, self.wp)
        for table in tables:
            if count < len(table):
                for p in range(first, first + count):
                    table.pop(p, None)
            else:
                for p in [p for p in table if first <= p < first + count]:
                    del table[p]
