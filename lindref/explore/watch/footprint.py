"""What a turn touched, as sets of places (EXP-6).

A place is a part of the state that can be read and changed apart from the rest: some bytes of a memory, a field of a
cage's record, an entry of one of RawPOSIX's maps, a thread, the clock. Sets of places are integers, a bit a place.
"""

from __future__ import annotations

from collections.abc import Hashable

from lindref import classes

#: Longer runs of bytes than this many words are noted as whole pages.
_WORDS = 64

#: A block of memory has 2 to the power of this many bytes.
BLOCK = 20

Place = Hashable

#: The clock, which every turn moves on; the whole run, which every turn is part of.
CLOCK = ("clock",)
RUN = ("run",)


@classes.frozen
class Footprint:
    """Places that were read, changed, or *added to*: changed in a way that commutes with others of that way."""

    reads: int = 0
    changes: int = 0
    adds: int = 0

    def meets(self, other: Footprint) -> bool:
        """Whether the order of two turns that touched this may matter: one changed what the other looked at."""
        return bool(
            self.changes & (other.reads | other.changes | other.adds)
            or self.adds & (other.reads | other.changes)
            or self.reads & (other.changes | other.adds)
        )

    def common(self, other: Footprint) -> int:
        """The places where that is so."""
        return (
            self.changes & (other.reads | other.changes | other.adds)
            | self.adds & (other.reads | other.changes)
            | self.reads & (other.changes | other.adds)
        )

    def __or__(self, other: Footprint) -> Footprint:
        """Both."""
        return Footprint(self.reads | other.reads, self.changes | other.changes, self.adds | other.adds)

    def __and__(self, other: Footprint) -> Footprint:
        """What is in both."""
        return Footprint(self.reads & other.reads, self.changes & other.changes, self.adds & other.adds)


class Places:
    """Numbers of places, given as they are first met."""

    def __init__(self) -> None:
        self.bits: dict[Place, int] = {}
        self._spans: dict[tuple[str, int, int, int], tuple[int, int]] = {}

    def bit(self, place: Place) -> int:
        """The set that has this place alone."""
        found = self.bits.get(place)
        if found is None:
            found = self.bits[place] = 1 << len(self.bits)
        return found

    def span(self, space: str, owner: int, start: int, count: int) -> tuple[int, int]:
        """``count`` bytes from ``start`` of a memory or page store: the places to be read or changed, and those to be
        added to.

        The whole is added to by who touches a part, and so are blocks, and pages by who touches a few of their words:
        who touches all of one then meets whoever touches any of it.
        """
        key = (space, owner, start, count)
        found = self._spans.get(key)
        if found is None:
            found = self._spans[key] = self._span(space, owner, start, count)
        return found

    def _span(self, space: str, owner: int, start: int, count: int) -> tuple[int, int]:
        whole = self.bit((space, owner))
        last = start + max(count, 1) - 1
        first_word, last_word = start >> 2, last >> 2
        pages = sum(self.bit((space, owner, "page", page)) for page in range(start >> 12, (last >> 12) + 1))
        blocks = sum(self.bit((space, owner, "block", block)) for block in range(start >> BLOCK, (last >> BLOCK) + 1))
        if last_word - first_word >= _WORDS:
            return pages, blocks | whole
        words = sum(self.bit((space, owner, word)) for word in range(first_word, last_word + 1))
        return words, pages | blocks | whole

    def range(self, space: str, owner: int, start: int, count: int) -> tuple[int, int]:
        """As ``span``, of as many bytes as there may be in a memory: blocks where they are wholly in, pages else."""
        whole = self.bit((space, owner))
        changed = blocks = 0
        page, end = start >> 12, (start + count + 4095) >> 12
        while page < end:
            block = page >> BLOCK - 12
            if page == block << BLOCK - 12 and page + (1 << BLOCK - 12) <= end:
                changed |= self.bit((space, owner, "block", block))
                page += 1 << BLOCK - 12
            else:
                changed |= self.bit((space, owner, "page", page))
                blocks |= self.bit((space, owner, "block", block))
                page += 1
        return changed, blocks | whole


class Touches:
    """What the present turn has touched so far."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.reads = 0
        self.changes = 0
        self.adds = 0

    def read(self, place: Place) -> None:
        """It looked at ``place``."""
        self.reads |= self.places.bit(place)

    def change(self, place: Place) -> None:
        """It changed ``place``."""
        self.changes |= self.places.bit(place)

    def add(self, place: Place) -> None:
        """It changed ``place`` in a way that commutes."""
        self.adds |= self.places.bit(place)

    def bytes(self, space: str, owner: int, start: int, count: int, *, write: bool) -> None:
        """It read, or wrote, bytes."""
        places, part = self.places.span(space, owner, start, count)
        if write:
            self.changes |= places
        else:
            self.reads |= places
        self.adds |= part

    def whole(self, space: str, owner: int, *, write: bool) -> None:
        """It read, or wrote, whatever it liked of a memory."""
        if write:
            self.change((space, owner))
        else:
            self.read((space, owner))

    def footprint(self) -> Footprint:
        """All of it."""
        return Footprint(self.reads, self.changes, self.adds)


#: Spaces of bytes: memories of cages, page stores that several may map.
MEMORY = "memory"
BACKING = "backing"
