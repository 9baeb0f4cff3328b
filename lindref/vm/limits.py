"""Limits of ours on what a run may use, as opposed to what the specification bounds."""

from __future__ import annotations

from typing import Final

#: A frame counts once against the limit of call depth, and once more for every so many locals and operands that it
#: may hold: so the limit bounds the memory of a thread's stack too.
SLOTS: Final = 64


class Exhaustion(Exception):
    """A limit that we set is reached: neither a trap nor an errno, the run ends.

    ``message`` names the limit in one line.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Budget:
    """How many pages (of 4 KiB) all memories and files of a run may hold; ``limit`` ``None`` for no bound.

    A page counts from its first write until it is unmapped or cut off, in each memory that holds it, whether
    or not memories share it behind the scenes: so whether a run is exhausted does not depend on when it was
    frozen.
    """

    __slots__ = ("limit", "used")

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.used = 0

    def take(self, pages: int) -> None:
        """Count ``pages`` more; ``Exhaustion`` if that is beyond the limit, and then nothing is counted."""
        used = self.used + pages
        if self.limit is not None and used > self.limit:
            raise Exhaustion(f"memory limit reached: {self.limit} pages of 4096 bytes")
        self.used = used

    def give(self, pages: int) -> None:
        """Count ``pages`` less."""
        self.used -= pages
