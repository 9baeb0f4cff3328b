"""A cage's memory where the engine has it: RawPOSIX reads and writes the engine's own bytes.

What is mapped, and with which protection, is kept as in any cage (``vm.memory``); the host's pages have the same
protection, so that the engine's own accesses trap where lindref's would.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import Any

from lindref.vm import regions as region_map
from lindref.vm.limits import Budget
from lindref.vm.memory import MAX_SIZE, Memory, MemoryState
from lindref.vm.pages import PAGE, SHIFT, Backings
from lindref.vm.regions import PAGES, READ, WRITE, Region

#: Bytes of a whole memory.
WHOLE = MAX_SIZE * 65536
_NORESERVE, _FIXED = 0x4000, 0x10

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]


def _host(prot: int) -> int:
    """A protection as the host has it; what is written can be read there."""
    return (mmap.PROT_READ if prot & READ else 0) | (mmap.PROT_READ | mmap.PROT_WRITE if prot & WRITE else 0)


def _must(result: int | None, what: str) -> None:
    if result in (-1, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), f"{what} of an engine's memory")


class Shares:
    """Files of the host that stand for what several mappings share: all of them, in whatever cage, see one thing."""

    def __init__(self) -> None:
        self._files: dict[int, int] = {}

    def file(self, number: int) -> int:
        """The descriptor of backing ``number``'s file."""
        if number not in self._files:
            self._files[number] = os.memfd_create(f"lindref-{number}")
            os.ftruncate(self._files[number], WHOLE)
        return self._files[number]

    def close(self) -> None:
        """They are not needed any more."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()


class EngineMemory(Memory):
    """A memory of 4 GiB whose bytes lie at the host's address ``start``; nothing of it is mapped at first."""

    __slots__ = ("_shares", "_view", "item", "start")

    def __init__(self, item: Any, start: int, backings: Backings, shares: Shares, budget: Budget | None = None) -> None:
        """``item`` is the engine's object, which keeps the bytes alive."""
        super().__init__(0, MAX_SIZE, shared=True, backings=backings, budget=budget)
        self.size = MAX_SIZE
        self.item = item
        self._shares = shares
        self.start = start
        self._view: memoryview = memoryview((ctypes.c_ubyte * WHOLE).from_address(start)).cast("B")
        self._fresh(0, WHOLE >> SHIFT, 0)

    def _fresh(self, first: int, count: int, prot: int) -> None:
        """Pages of the host that are all zero."""
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE | _FIXED
        place = self.start + (first << SHIFT)
        _must(_libc.mmap(place, count << SHIFT, _host(prot), flags, -1, 0), "mmap")

    # Bytes.

    def _gather(self, a: int, n: int) -> bytes:
        return bytes(self._view[a : a + n])

    def _scatter(self, a: int, data: bytes | bytearray | memoryview) -> None:
        self._view[a : a + len(data)] = data

    def load(self, a: int, n: int) -> bytes:
        """As in any memory."""
        self._check(a, n, READ)
        return self._gather(a, n)

    def store(self, a: int, data: bytes | bytearray | memoryview) -> None:
        """As in any memory."""
        self._check(a, len(data), WRITE)
        self._scatter(a, data)

    def fill(self, a: int, value: int, n: int) -> None:
        """As in any memory."""
        self._check(a, n, WRITE)
        self._view[a : a + n] = bytes([value]) * n

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
        """As in any memory; what a file holds is copied in, and from then on kept in step (``pull``, ``push``)."""
        super().map(first, count, prot, backing, backing_page, shared=shared)
        if not count:
            return
        if backing is None:
            self._fresh(first, count, prot)
            return
        if shared:
            self._pull(backing, range(backing_page, backing_page + count))
            flags = mmap.MAP_SHARED | _FIXED
            place = self.start + (first << SHIFT)
            file = self._shares.file(backing)
            _must(_libc.mmap(place, count << SHIFT, _host(prot), flags, file, backing_page << SHIFT), "mmap")
            return
        self._fresh(first, count, READ | WRITE)
        pages = self._backings.store(backing)
        for number in range(count):
            self._scatter(first + number << SHIFT, bytes(pages.peek(backing_page + number)))
        self.set_host(first, count, prot)

    def unmap(self, first: int, count: int) -> None:
        """As in any memory."""
        super().unmap(first, count)
        if count:
            self._fresh(first, count, 0)

    def protect(self, first: int, count: int, prot: int) -> None:
        """As in any memory."""
        super().protect(first, count, prot)
        for region in region_map.within(self.regions, first, first + count):
            low, high = max(region.first, first), min(region.end, first + count)
            self.set_host(low, high - low, prot)

    def set_host(self, first: int, count: int, prot: int) -> None:
        """Give pages of the host a protection, whatever they have in the cage."""
        _must(_libc.mprotect(self.start + (first << SHIFT), count << SHIFT, _host(prot)), "mprotect")

    def _shared(self) -> list[tuple[int, range]]:
        """The backings that are mapped to be shared, with the pages of them that are."""
        return [
            (region.backing, range(region.backing_page, region.backing_page + region.count))
            for region in self.regions.values()
            if region.backing is not None and not region.private
        ]

    def push(self) -> None:
        """What the engine wrote to pages that are shared with files or cages is there for RawPOSIX."""
        for backing, numbers in self._shared():
            pages, file = self._backings.store(backing), self._shares.file(backing)
            for number in numbers:
                data = os.pread(file, PAGE, number << SHIFT)
                if data != bytes(pages.peek(number)):
                    pages.own(number)[:] = data

    def pull(self) -> None:
        """What RawPOSIX wrote to shared pages is there for the engine."""
        for backing, numbers in self._shared():
            self._pull(backing, numbers)

    def _pull(self, backing: int, numbers: range) -> None:
        pages, file = self._backings.store(backing), self._shares.file(backing)
        for number in numbers:
            data = bytes(pages.peek(number))
            if data != os.pread(file, PAGE, number << SHIFT):
                os.pwrite(file, data, number << SHIFT)

    # A place that is nobody's, for the stack of a thread that is being copied.

    def aside(self, size: int) -> int:
        """The address of ``size`` bytes that nothing is mapped at, made accessible; ``put_away`` ends that."""
        count = -(-size // PAGE)
        first = PAGES // 2
        while any(region_map.within(self.regions, first, first + count)):
            first += count
            if first + count > PAGES:
                raise OSError("no room for a copy of the stack")
        self._fresh(first, count, READ | WRITE)
        return first << SHIFT

    def put_away(self, address: int, size: int) -> None:
        """What ``aside`` gave is as it was."""
        self._fresh(address >> SHIFT, -(-size // PAGE), 0)

    def peek(self, address: int, size: int) -> bytes:
        """Bytes of such a place."""
        return self._gather(address, size)

    def poke(self, address: int, data: bytes) -> None:
        """Put bytes there."""
        self._scatter(address, data)

    # Copies.

    def copy_into(self, other: EngineMemory) -> None:
        """Let ``other``, which is new, be as this one is now; only pages of the host that were touched are copied."""
        for region in self.regions.values():
            other.map(
                region.first,
                region.count,
                region.prot,
                region.backing,
                region.backing_page,
                shared=not region.private,
            )
            if region.backing is not None and not region.private:
                continue
            other.set_host(region.first, region.count, READ | WRITE)
            self.set_host(region.first, region.count, READ | WRITE)
            for page in self._touched(region):
                other._scatter(page << SHIFT, self._gather(page << SHIFT, PAGE))
            for memory in (self, other):
                memory.set_host(region.first, region.count, region.prot)

    def _touched(self, region: Region) -> list[int]:
        """The pages of a region that the host holds."""
        seen = ctypes.create_string_buffer(region.count)
        _must(_libc.mincore(self.start + (region.first << SHIFT), region.count << SHIFT, seen), "mincore")
        return [region.first + number for number, byte in enumerate(seen.raw) if byte & 1]

    def fork(self) -> Memory:
        """A copy needs a place in another store of the engine: ``copy_into``."""
        raise AssertionError("an engine's memory is copied by its system")

    def freeze(self) -> MemoryState:
        """The engine's bytes are no values."""
        raise AssertionError("a run on another engine has no states")

    def close(self) -> None:
        """Nobody uses it any more."""
        super().close()
        self._fresh(0, WHOLE >> SHIFT, 0)
