"""What connects a run to the world around it: host directories, standard streams. No part of its state.

What came in is kept in order, so that a state that is put back reads the same again; the connections themselves may be
replaced at any time.
"""

from __future__ import annotations

from collections.abc import Callable

from lindref.posix.fs.hosttree import HostTree


class Outside:
    """The connections of one kernel.

    ``read``: fetches standard input: some bytes, ``b""`` at its end; None when there is nothing to fetch from.
    ``wrote``: told (stream, bytes) as a guest writes to standard output (1) or error (2).
    """

    def __init__(self) -> None:
        self.read: Callable[[], bytes] | None = None
        self.wrote: Callable[[int, bytes], None] | None = None
        self._fetched: list[bytes] = []
        self._trees: dict[str, HostTree] = {}

    def fetch(self, position: int) -> bytes | None:
        """Piece number ``position`` of standard input, fetched when it never was before; None without a source."""
        if position < len(self._fetched):
            return self._fetched[position]
        if self.read is None:
            return None
        self._fetched.append(self.read())
        return self._fetched[position]

    def tree(self, path: str) -> HostTree:
        """The host directory ``path``, opened once; `RootError` when it cannot be."""
        if path not in self._trees:
            self._trees[path] = HostTree(path)
        return self._trees[path]
