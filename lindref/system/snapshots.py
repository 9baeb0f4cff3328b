"""The states of a run that are kept so that one can go back: dense near where one stands, sparse far away (TRAVEL-3).

A state costs what has changed since the one before; how many are kept grows with the logarithm of the run's length.
Going to a turn is: put the nearest state before it back, and take the turns from there again.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator

from lindref import classes
from lindref.system.state import SystemState
from lindref.vm.pages import PAGE

#: Cost of a turn in ticks beside those it takes: what an event costs to make again.
EVENT_COST = 50
#: Cost of taking again what lies between two states near where one stands: some 10 ms.
FINE = 2_000
#: Away from there states are as far from each other as this part of the way to them.
RATIO = 200
#: Bytes of memory that all states together hold on to beyond what the newest needs; then they are thinned out.
MOST_BYTES = 256 << 20
#: A state that shares all pages with the one before still has records of its own.
_RECORDS = 8 << 10
#: States are thinned out whenever so many have come.
_SWEEP = 64


@classes.frozen
class Kept:
    """A state: after how many turns, at what cost from the beginning of the run, and what it holds on to, in bytes."""

    turn: int
    cost: int
    state: SystemState
    size: int


def cost(state: SystemState) -> int:
    """What it cost to come to ``state``."""
    return state.counters.ticks + EVENT_COST * state.counters.events


def size(state: SystemState, before: SystemState | None) -> int:
    """Bytes that ``state`` holds on to beyond ``before``."""
    pages = 0
    for cage, memory in state.memories.items():
        old = None if before is None else before.memories.get(cage)
        if old is not memory:
            pages += len(memory.pages) if old is None else len(memory.pages.changed(old.pages))
    backed = state.kernel.backings.pages
    known = None if before is None else before.kernel.backings.pages
    if backed is not known:
        for number, these in backed.items():
            others = None if known is None else known.get(number)
            if others is not these:
                pages += len(these) if others is None else len(these.changed(others))
    return _RECORDS + PAGE * pages


class Snapshots:
    """The states of one run. ``most_bytes``: how much memory they may take together, about."""

    def __init__(self, *, fine: int = FINE, ratio: int = RATIO, most_bytes: int = MOST_BYTES) -> None:
        self._fine = fine
        self._ratio = ratio
        self._most_bytes = most_bytes
        self._turns: list[int] = []
        self._kept: dict[int, Kept] = {}
        self._new = 0

    def __len__(self) -> int:
        """How many there are."""
        return len(self._turns)

    @property
    def size(self) -> int:
        """Bytes that they hold on to, about."""
        return sum(kept.size for kept in self._kept.values())

    def due(self, turn: int, cost_now: int) -> bool:
        """Whether the state after ``turn`` turns, at ``cost_now``, should be kept."""
        if self._turns and turn > self._turns[-1]:  # before every turn of a run that goes on
            return cost_now - self._kept[self._turns[-1]].cost >= self._fine
        at = bisect_right(self._turns, turn) - 1
        if at < 0:
            return True
        before = self._kept[self._turns[at]]
        return before.turn != turn and cost_now - before.cost >= self._fine

    def keep(self, turn: int, state: SystemState) -> None:
        """Keep ``state``, that after ``turn`` turns."""
        if turn in self._kept:
            return
        at = bisect_right(self._turns, turn) - 1
        before = self._kept[self._turns[at]].state if at >= 0 else None
        self._kept[turn] = Kept(turn, cost(state), state, size(state, before))
        insort(self._turns, turn)
        self._new += 1
        if self._new >= _SWEEP:
            self._new = 0
            self.thin(self._kept[turn].cost)

    def replace(self, turn: int, state: SystemState) -> None:
        """What was kept at ``turn`` or after it is no more so; ``state`` is."""
        self.forget_after(turn - 1)
        self.keep(turn, state)

    def nearest(self, turn: int) -> Kept:
        """The last state at or before ``turn``; there is always one, that of the beginning."""
        return self._kept[self._turns[bisect_right(self._turns, turn) - 1]]

    def before(self, turn: int) -> Iterator[Kept]:
        """The states at or before ``turn``, the newest first."""
        for one in reversed(self._turns[: bisect_right(self._turns, turn)]):
            yield self._kept[one]

    def forget_after(self, turn: int) -> None:
        """States after ``turn`` belong to a future that is not to be."""
        at = bisect_right(self._turns, turn)
        for gone in self._turns[at:]:
            del self._kept[gone]
        del self._turns[at:]

    def beginning_with(self, state: SystemState) -> Snapshots:
        """Others with the same bounds that hold ``state`` as the beginning."""
        made = Snapshots(fine=self._fine, ratio=self._ratio, most_bytes=self._most_bytes)
        made.keep(0, state)
        return made

    def copy(self) -> Snapshots:
        """The same states, kept apart from now on."""
        made = Snapshots(fine=self._fine, ratio=self._ratio, most_bytes=self._most_bytes)
        made._turns = list(self._turns)
        made._kept = dict(self._kept)
        return made

    def thin(self, here: int) -> None:
        """Drop states that are closer to each other than their distance from cost ``here`` asks for; more so where
        they take too much memory."""
        ratio = self._ratio
        self._drop(here, ratio)
        while self.size > self._most_bytes and ratio > 2:
            ratio //= 2
            self._drop(here, ratio)

    def _drop(self, here: int, ratio: int) -> None:
        if len(self._turns) < 3:
            return
        stay = [self._turns[0]]
        last = self._kept[self._turns[0]]
        dropped = False
        for turn, following in zip(self._turns[1:], self._turns[2:], strict=False):
            kept = self._kept[turn]
            room = max(self._fine if ratio == self._ratio else 0, abs(here - kept.cost) // ratio)
            if self._kept[following].cost - last.cost <= room:
                del self._kept[turn]
                dropped = True
                continue
            if dropped:
                self._kept[turn] = kept = classes.evolve(kept, size=size(kept.state, last.state))
                dropped = False
            stay.append(turn)
            last = kept
        stay.append(self._turns[-1])
        if dropped:
            end = self._kept[stay[-1]]
            self._kept[end.turn] = classes.evolve(end, size=size(end.state, last.state))
        self._turns = stay
