"""What compiled code counts ticks by: an iterator over a list, which yields once a tick (MACH-3).

Python's ``for`` takes from it at next to no cost, it can be asked how much is left, and appending to the list gives a
tick back. Making a long list costs, so it is kept while a machine runs, and lent to the next.
"""

from __future__ import annotations

from operator import length_hint
from typing import Final

#: Ticks that compiled code runs at a time before the machine looks whether it is wanted.
STRETCH: Final = 1 << 16
#: A list that has been used up to so many is thrown away.
WORN: Final = 1 << 19


class Clock:
    """A list of which some is used up."""

    __slots__ = ("ticks", "units")

    def __init__(self) -> None:
        self.units: list[None] = []
        self.ticks = iter(self.units)

    @property
    def left(self) -> int:
        """Ticks that are left."""
        return length_hint(self.ticks)

    def wind(self, ticks: int) -> None:
        """Makes it so many that are left."""
        units = self.units
        left = length_hint(self.ticks)
        more = ticks - left
        if not left or len(units) + more > WORN:  # an iterator that has ended stays so
            self.units = [None] * ticks
            self.ticks = iter(self.units)
        elif more > 0:
            units += [None] * more
        elif more < 0:
            del units[more:]

    def cut(self, ticks: int) -> None:
        """Makes it at most so many that are left, while compiled code runs by it."""
        more = length_hint(self.ticks) - ticks
        if more > 0:
            del self.units[-more:]


_SPARE: list[Clock] = []


def borrow() -> Clock:
    """A clock that nobody else has."""
    try:
        return _SPARE.pop()
    except IndexError:
        return Clock()


def give_back(clock: Clock) -> None:
    """It may be lent to another."""
    if not _SPARE:
        _SPARE.append(clock)
