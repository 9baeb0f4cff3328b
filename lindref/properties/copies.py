"""Copying data between cages under test: memories with holes, what an implementation offers, and lindref's own."""

from __future__ import annotations

from typing import Protocol

from lindref import classes
from lindref.threei.copydata import Copied, copy_data

PAGE = 4096
#: Where the memory of cage ``n`` begins in these tests: ``n`` times this.
STRIDE = 1 << 32


@classes.define(eq=False)
class Pages:
    """The memories of cages 1, 2, …: for each its pages from offset 0, ``None`` (nothing), or bytes; ``fixed`` are the
    pages (cage, page) that cannot be written. Implements ``threei.copydata.Memories``.
    """

    cages: dict[int, list[bytes | None]]
    fixed: frozenset[tuple[int, int]] = frozenset()

    def exists(self, cage: int) -> bool:
        """Whether there is such a cage."""
        return cage in self.cages

    def reach(self, cage: int, address: int, length: int, *, write: bool) -> bool:
        """Whether all of a range can be read, or written."""
        offset = address - cage * STRIDE
        if cage not in self.cages or offset < 0:
            return False
        pages = range(offset // PAGE, (offset + length - 1) // PAGE + 1) if length else range(0)
        have = self.cages[cage]
        return all(p < len(have) and have[p] is not None and not (write and (cage, p) in self.fixed) for p in pages)

    def read(self, cage: int, address: int, length: int) -> bytes | None:
        """Bytes, or ``None``."""
        if not self.reach(cage, address, length, write=False):
            return None
        offset = address - cage * STRIDE
        whole = b"".join(page or bytes(PAGE) for page in self.cages[cage])
        return whole[offset : offset + length]

    def read_string(self, cage: int, address: int, limit: int) -> bytes | None:
        """Bytes to the NUL and with it, or ``None``."""
        out = b""
        while len(out) < limit:
            one = self.read(cage, address + len(out), 1)
            if one is None:
                return None
            out += one
            if one == b"\0":
                return out
        return None

    def write(self, cage: int, address: int, data: bytes) -> bool:
        """All or nothing."""
        if not self.reach(cage, address, len(data), write=True):
            return False
        offset = address - cage * STRIDE
        whole = b"".join(page or bytes(PAGE) for page in self.cages[cage])
        whole = whole[:offset] + data + whole[offset + len(data) :]
        pages = self.cages[cage]
        self.cages[cage] = [
            None if page is None else whole[i * PAGE : (i + 1) * PAGE] for i, page in enumerate(pages)
        ]
        return True

    def contents(self) -> dict[int, tuple[bytes | None, ...]]:
        """All that is in them."""
        return {cage: tuple(pages) for cage, pages in self.cages.items()}


class Copier(Protocol):
    """An implementation of call 1002."""

    def copy(self, pages: Pages, source: int, cage: int, dest: int, dest_cage: int, length: int, kind: int) -> int:
        """Copy; the result as the caller sees it."""


class LindrefCopier:
    """lindref's own (``lindref.threei.copydata``)."""

    def copy(self, pages: Pages, source: int, cage: int, dest: int, dest_cage: int, length: int, kind: int) -> int:
        """See ``Copier``."""
        found: Copied = copy_data(pages, source, cage, dest, dest_cage, length, kind)
        return int(found.result)
