"""Places of a run, finer than an event (TRAVEL-6)."""

from __future__ import annotations

from typing import NamedTuple


class Position(NamedTuple):
    """``turn`` turns were taken, of the next one ``tick`` ticks, and since the last tick ``step`` entries of code.
    Positions are in the order of the run."""

    turn: int
    tick: int = 0
    step: int = 0
