"""What lies where in a memory: regions of pages, as a persistent map.

Two neighbours that one region could describe are always one, so the map follows from what holds of each page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lindref.state.pmap import PMap
from lindref.state.records import record, replace

#: Protection bits. Each stands for itself: whoever wants that writing implies reading sets both.
READ: Final = 1
WRITE: Final = 2

#: Pages in the largest memory (4 GiB).
PAGES: Final = 1 << 20


@record("vm.region")
class Region:
    """``count`` pages from page ``first`` on with protection ``prot``.

    With a ``backing`` they show its pages from ``backing_page`` on: shared, or if ``private`` only until the
    memory writes them, page by page. Without, they are the memory's own.
    """

    first: int
    count: int
    prot: int
    backing: int | None = None
    backing_page: int = 0
    private: bool = False

    @property
    def end(self) -> int:
        """The page after the last."""
        return self.first + self.count

    def part(self, start: int, stop: int) -> Region:
        """What of the region lies in the pages ``start <= p < stop`` (at least one)."""
        first, end = max(start, self.first), min(stop, self.end)
        skipped = first - self.first if self.backing is not None else 0
        return Region(first, end - first, self.prot, self.backing, self.backing_page + skipped, self.private)

    def joins(self, after: Region) -> bool:
        """Whether ``after`` begins where this ends, and one region could describe both."""
        return (
            self.end == after.first
            and self.prot == after.prot
            and self.backing == after.backing
            and self.private == after.private
            and (self.backing is None or self.backing_page + self.count == after.backing_page)
        )


Regions = PMap[Region]


def at(regions: Regions, page: int) -> Region | None:
    """The region that page ``page`` lies in."""
    found = regions.floor(page)
    return found[1] if found is not None and page < found[1].end else None


def within(regions: Regions, start: int, stop: int) -> Iterator[Region]:
    """The regions that have pages in ``start <= p < stop``, in order and cut to those."""
    before = at(regions, start)
    if before is not None and start < stop:
        yield before.part(start, stop)
    for first, region in regions.items(start + 1):
        if first >= stop:
            return
        yield region.part(start, stop)


def remove(regions: Regions, start: int, stop: int) -> Regions:
    """Without the pages ``start <= p < stop``."""
    if start >= stop:
        return regions
    left, right = at(regions, start), at(regions, stop - 1)
    regions = regions.cut(start, stop)
    if left is not None and left.first < start:
        regions = regions.set(left.first, left.part(left.first, start))
    if right is not None and right.end > stop:
        regions = regions.set(stop, right.part(stop, right.end))
    return regions


def put(regions: Regions, region: Region) -> Regions:
    """With ``region`` instead of what was there."""
    regions = remove(regions, region.first, region.end)
    before, after = at(regions, region.first - 1), regions.get(region.end)
    if before is not None and before.joins(region):
        region = replace(before, count=before.count + region.count)
    if after is not None and region.joins(after):
        regions = regions.remove(after.first)
        region = replace(region, count=region.count + after.count)
    return regions.set(region.first, region)


def protect(regions: Regions, start: int, stop: int, prot: int) -> Regions:
    """With ``prot`` for the pages ``start <= p < stop`` as far as they are mapped."""
    for region in list(within(regions, start, stop)):
        if region.prot != prot:
            regions = put(regions, replace(region, prot=prot))
    return regions
