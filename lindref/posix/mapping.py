"""What stands behind mappings: shared page stores and files that must live as long as somebody maps them, and the
memory that a fork of the recorded implementation loses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lindref.posix import vmmap
from lindref.posix.cage import Mapping
from lindref.posix.constants import MAP_SHARED, PAGE, PAGES, PROT_READ, PROT_WRITE
from lindref.posix.fs import inodes, mirror
from lindref.posix.kernel import Kernel
from lindref.state.records import replace

if TYPE_CHECKING:
    from lindref.vm.memory import Memory


def access(prot: int) -> int:
    """What a protection lets guests do: what can be written can be read (MEM-4)."""
    return prot | PROT_READ if prot & PROT_WRITE else prot


def lay(mapping: Mapping, backing: int, page: int = 0, inode: int | None = None) -> Mapping:
    """``mapping`` showing the page store ``backing`` from its page ``page`` on; ``inode`` is the file whose it is."""
    return replace(mapping, backing=backing, backing_page=page, inode=inode)


def _retain(kernel: Kernel, mapping: Mapping) -> None:
    """One more piece of some map shows this store."""
    if mapping.inode is not None:
        inodes.pin(kernel, mapping.inode)
    elif mapping.backing is not None and mapping.segment is None:
        kernel.shares = kernel.shares.set(mapping.backing, (kernel.shares.get(mapping.backing) or 0) + 1)


def _release(kernel: Kernel, mapping: Mapping) -> None:
    """One piece less; with the last one shared anonymous memory is gone."""
    if mapping.inode is not None:
        mirror.flush(kernel, mapping)
        inodes.unpin(kernel, mapping.inode)
    elif mapping.backing is not None and mapping.segment is None:
        left = kernel.shares[mapping.backing] - 1
        if left:
            kernel.shares = kernel.shares.set(mapping.backing, left)
        else:
            kernel.shares = kernel.shares.remove(mapping.backing)
            kernel.backings.drop(mapping.backing)


def retain_all(kernel: Kernel, pieces: vmmap.Map) -> None:
    """Another map with the same pieces came to be."""
    for mapping in pieces.values():
        _retain(kernel, mapping)


def release_all(kernel: Kernel, pieces: vmmap.Map) -> None:
    """A map with these pieces is gone."""
    for mapping in pieces.values():
        _release(kernel, mapping)


def commit(kernel: Kernel, number: int, new: vmmap.Map) -> None:
    """Make ``new`` the map of a cage."""
    old = kernel.cages[number].vmmap
    kernel.update(number, vmmap=new)
    keys = new.changed(old)
    for mapping in _at(new, keys):
        _retain(kernel, mapping)
    for mapping in _at(old, keys):
        _release(kernel, mapping)


def _at(pieces: vmmap.Map, keys: Iterable[int]) -> list[Mapping]:
    """The mappings at those keys where there are any."""
    return [mapping for mapping in map(pieces.get, keys) if mapping is not None]


def lose(kernel: Kernel, parent: int, child: int) -> None:
    """Take from the child's memory what a fork of the recorded implementation does not bring over."""
    profile = kernel.profile
    memory, source = kernel.host.memory(child), kernel.host.memory(parent)
    if memory is None or source is None:
        return
    pieces = tuple(kernel.cages[child].vmmap.values())
    if profile.has("MPROTECT-HOLES"):
        at = 0
        for low, high in [*((piece.first, piece.end) for piece in pieces), (PAGES, PAGES)]:
            if at < low:
                memory.unmap(at, low - at)
            at = high
    reached = 0  # pages below were copied over by some mapping that says more than it covers
    for piece in pieces:
        if piece.prot == 0:
            if profile.has("FORK-NONE"):
                memory.map(piece.first, piece.count, 0)
        elif piece.flags & MAP_SHARED:
            continue
        elif piece.segment is not None and profile.has("FORK-SHM"):
            _copy(source, memory, piece.first, piece.end, piece.prot)
        elif profile.has("MEM-STALE") and (piece.said_first, piece.said_count) != (piece.first, piece.count):
            said_end = piece.said_first + piece.said_count
            _copy(source, memory, piece.said_first, said_end, piece.prot)
            reached = max(reached, said_end)
        elif piece.first < reached:
            _copy(source, memory, piece.first, piece.end, piece.prot)


def _copy(source: Memory, memory: Memory, first: int, end: int, prot: int) -> None:
    """Copy pages up to the first that cannot be read into fresh memory with protection ``prot``; what lies behind is
    zero (``MEM-STALE``).
    """
    memory.map(first, end - first, PROT_READ | PROT_WRITE)
    at = first
    while at < end:
        region = source.region_at(at)
        if region is None or not region.prot & PROT_READ:
            break
        stop = min(region.end, end)
        pages = range(at, stop) if region.backing is not None else source.pages.present_in(at, stop)
        for page in pages:
            data = source.try_read(page * PAGE, PAGE)
            if data is not None:
                memory.try_write(page * PAGE, data)
        at = stop
    memory.protect(first, end - first, access(prot))


def holes(memory: Memory, first: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of ``[first, end)`` that a memory has not mapped."""
    at = first
    below = memory.region_at(first)
    if below is not None:
        at = below.end
    for start, region in tuple(memory.regions.items(start=at)):
        if start >= end:
            break
        if at < start:
            yield at, start
        at = region.end
    if at < end:
        yield at, end
