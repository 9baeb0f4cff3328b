"""A machine that knows how many entries of code it has taken since the last tick, and stops where it is asked to.

Between two ticks code only runs forwards or returns, so ticks and entries since say exactly where a run of the machine
stands. Ticks are counted in either tier; entries by the reference machine alone, and only when somebody wants them.
"""

from __future__ import annotations

from operator import length_hint
from typing import Final

from lindref.vm.compiled.machine import CompilingMachine
from lindref.vm.outcomes import Outcome, Paused, Thrown
from lindref.vm.store import Store
from lindref.vm.values import ExnInst

#: As many entries as no run takes.
ENDLESS: Final = 1 << 62


class Control:
    """What the machines of one run have in common. ``counting``: whether they are to count entries; ``active`` is the
    machine that runs code at this moment."""

    __slots__ = ("active", "counting")

    def __init__(self) -> None:
        self.counting = False
        self.active: SteppingMachine | None = None

    def machine(self, store: Store, max_depth: int) -> SteppingMachine:
        """A machine under this control (an ``Engine``)."""
        made = SteppingMachine(store, max_depth=max_depth)
        made.control = self
        return made


class SteppingMachine(CompilingMachine):
    """See the module. ``since``: entries taken since the last tick, where entries were counted all the while since;
    ``taken``: entries that the last run took, if it counted; ``lap``: how many lay between the last two ticks."""

    __slots__ = ("_mark", "_steps", "control", "lap", "taken")

    def __init__(self, store: Store, *, max_depth: int, eager: bool = False) -> None:
        super().__init__(store, max_depth=max_depth, eager=eager)
        self.control = Control()
        self.taken = 0
        self.lap = 0
        self._steps = 0
        self._mark: int | None = None

    def run(self, ticks: int | None = None, steps: int | None = None) -> Outcome:
        """See ``Machine``; counts where there is a bound of steps, or the control says so."""
        if steps is None and not self.control.counting:
            outcome = super().run(ticks)
            if isinstance(outcome, Paused):
                self.since = 0
            return outcome
        self._steps = ENDLESS if steps is None else steps
        self._mark = None
        before, self.control.active = self.control.active, self
        try:
            outcome = super().run(ticks, self._steps)
        finally:
            self.control.active = before
        left = length_hint(self.counter)
        self.taken = self._steps - left
        mark = self._marked()
        self.since = self.since + self.taken if mark is None else mark - left
        return outcome

    def _marked(self) -> int | None:
        """How many entries were left when the last tick of the present run was counted."""
        return self._mark

    @property
    def place(self) -> tuple[int, int]:
        """While code runs: ticks so far (of all runs), and entries before the present one since the last tick."""
        left = length_hint(self.counter)
        since = self.since + self._steps - left if self._mark is None else self._mark - left
        return self.ticks, since - 1

    def _portion(self) -> None:
        """One tick at a time where entries are counted: each is to be seen."""
        if not self._plain:
            super()._portion()
            return
        if self._reserve is not None:
            self._reserve -= 1
        self.fuel = 1
        self._granted += 1

    def at_tick(self) -> None:
        """See ``Machine``; entries are counted from here."""
        if self.control.active is self:
            left = length_hint(self.counter)
            self.lap = self.since + self._steps - left if self._mark is None else self._mark - left
            self._mark = left
        super().at_tick()

    def throw(self, exn: ExnInst) -> Thrown | None:
        """See ``Machine``; a tick in it is one that no run pauses at."""
        before = self.ticks
        thrown = super().throw(exn)
        if self.ticks != before:
            self.since = 0
        return thrown


__all__ = ["Control", "SteppingMachine"]
