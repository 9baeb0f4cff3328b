"""The map of a cage's address space: which pages are mapped, by what, with which protection.

Pure functions on a persistent map from first page to `Mapping`; the mappings never overlap. Page numbers count 4 KiB
from 0; a range is ``[first, end)``. Rules MEM-1 to MEM-4 in spec/memory.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

from lindref.posix.cage import Mapping
from lindref.posix.constants import PAGES, PROT_WRITE
from lindref.state.pmap import PMap
from lindref.state.records import replace

Map: TypeAlias = PMap[Mapping]


def overlapping(vmmap: Map, first: int, end: int) -> Iterator[Mapping]:
    """The mappings that share a page with ``[first, end)``, in address order."""
    if first >= end:
        return
    below = vmmap.floor(first)
    start = below[0] if below is not None and below[1].end > first else first
    for at, mapping in vmmap.items(start=start):
        if at >= end:
            return
        yield mapping


def clip(mapping: Mapping, first: int, end: int) -> Mapping:
    """The part of ``mapping`` inside ``[first, end)``, which is not empty. What it says of its own bounds stays."""
    start = max(mapping.first, first)
    return replace(
        mapping,
        first=start,
        count=min(mapping.end, end) - start,
        backing_page=mapping.backing_page + (start - mapping.first),
    )


def _honest(mapping: Mapping) -> Mapping:
    """``mapping`` saying its real bounds."""
    return replace(mapping, said_first=mapping.first, said_count=mapping.count)


def remove(vmmap: Map, first: int, end: int, *, stale: bool = False) -> Map:
    """The map without ``[first, end)``; mappings that reach beyond are cut. With ``stale`` the remnants go on saying
    the bounds of the whole (deviation ``MEM-STALE``).
    """
    for mapping in tuple(overlapping(vmmap, first, end)):
        vmmap = vmmap.remove(mapping.first)
        for low, high in ((mapping.first, min(first, mapping.end)), (max(end, mapping.first), mapping.end)):
            if low < high:
                rest = clip(mapping, low, high)
                vmmap = vmmap.set(low, rest if stale else _honest(rest))
    return vmmap


def insert(vmmap: Map, mapping: Mapping, *, stale: bool = False) -> Map:
    """The map with ``mapping`` (at least one page) in place of what was there: a page is of one mapping (MEM-1)."""
    return remove(vmmap, mapping.first, mapping.end, stale=stale).set(mapping.first, _honest(mapping))


def protect(vmmap: Map, first: int, end: int, prot: int) -> Map:
    """The map with the protection of what is mapped inside ``[first, end)`` replaced; all pieces say their real
    bounds.
    """
    for mapping in tuple(overlapping(vmmap, first, end)):
        vmmap = vmmap.remove(mapping.first)
        edges = sorted({mapping.first, max(first, mapping.first), min(end, mapping.end), mapping.end})
        for low, high in pairwise(edges):
            piece = _honest(clip(mapping, low, high))
            inside = first <= low and high <= end
            vmmap = vmmap.set(low, replace(piece, prot=prot) if inside else piece)
    return vmmap


def gaps(vmmap: Map, first: int = 0) -> Iterator[tuple[int, int]]:
    """The unmapped ranges at or above page ``first``, lowest first; the one that holds ``first`` begins there."""
    at = first
    below = vmmap.floor(first)
    if below is not None and below[1].end > first:
        at = below[1].end
    for start, mapping in vmmap.items(start=at):
        if start > at:
            yield at, start
        at = mapping.end
    if at < PAGES:
        yield at, PAGES


def find_space(vmmap: Map, count: int, first: int = 0) -> int | None:
    """Where ``count`` pages go: at the upper end of the lowest gap that has a page more than needed, which stays free
    below the next mapping (MEM-2). None when there is no such gap at or above ``first``.
    """
    for low, high in gaps(vmmap, first):
        if high - low > count:
            return high - 1 - count
    return None


def covered(vmmap: Map, first: int, end: int) -> bool:
    """Whether every page of ``[first, end)`` is mapped; an empty range is."""
    at = first
    for mapping in overlapping(vmmap, first, end):
        if mapping.first > at:
            return False
        at = mapping.end
    return at >= end


def permits(vmmap: Map, first: int, end: int, *, write: bool, stale: bool = False) -> bool:
    """Whether ``[first, end)`` may be read (written too, if ``write``). Any protection but none implies read. With
    ``stale`` a mapping reaches as far as it says (deviation ``MEM-STALE``).
    """
    at = first
    while at < end:
        found = vmmap.floor(at)
        if found is None or at >= found[1].end:
            return False
        mapping = found[1]
        if mapping.prot == 0 or (write and not mapping.prot & PROT_WRITE):
            return False
        at = max(mapping.end, mapping.said_first + mapping.said_count) if stale else mapping.end
    return True
