"""A turn taken in pieces: to a tick, or instruction by instruction, with the system standing in between.

However it is cut, a turn comes to the same (TRAVEL-6). Between its beginning and its end only the thread that runs has
moved: its frames and the memory of its cage are as they are at that moment, all else is as when the turn began.
"""

from __future__ import annotations

from lindref import classes
from lindref.system import accesses, state
from lindref.system.runner import Preempted, Stepped
from lindref.system.state import SystemState
from lindref.system.system import System
from lindref.system.threads import Thread
from lindref.system.wasm_runner import WasmRunner
from lindref.vm.limits import Exhaustion
from lindref.vm.stepping import ENDLESS, SteppingMachine


@classes.frozen(eq=False)
class TurnState:
    """A turn in progress as a value: the system, whose thread ``key`` has used ``ticks`` and taken ``since`` entries
    since the last; it may use ``allowed`` ticks in all, and stops at delivery points if ``attends``."""

    system: SystemState
    key: int
    allowed: int
    ticks: int
    since: int
    attends: bool


class Turn:
    """The next turn of ``system``, begun: ``thread`` is who runs (``None``: nobody could), ``over`` whether it has
    ended. A system of its own is best: it can be left in the middle of the turn."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.over = system.outcome is not None
        self.thread: Thread | None = None
        self._allowed = 0
        if not self.over:
            self._begin()

    def _begin(self) -> None:
        system = self.system
        self.thread = system.begin_turn()
        if self.thread is None:
            self.over = True
            return
        try:
            self._allowed = system.allow(self.thread)
        except Exhaustion as limit:
            system.limit(limit.message)
        self.over = not self._allowed
        machine = self.machine
        if machine is not None:
            machine.since = 0

    @property
    def machine(self) -> SteppingMachine | None:
        """The machine that runs, if the thread has one and it can be stepped."""
        runner = None if self.thread is None else self.thread.runner
        machine = runner.machine if isinstance(runner, WasmRunner) else None
        return machine if isinstance(machine, SteppingMachine) else None

    @property
    def place(self) -> tuple[int, int]:
        """Ticks taken of the turn, and entries since the last."""
        machine = self.machine
        return (0, 0) if machine is None else (machine.ticks - self.system.began, machine.since)

    def to_tick(self, tick: int) -> bool:
        """Go on until ``tick`` ticks of the turn were taken; true once it is over."""
        machine = self.machine
        while not self.over and machine is not None and machine.ticks - self.system.began < tick:
            self._go(tick - (machine.ticks - self.system.began), None)
        return self.over

    def to(self, tick: int, step: int) -> bool:
        """Go on to a place; true once the turn is over."""
        if not self.to_tick(tick) and step > self.place[1]:
            self.take(step - self.place[1])
        return self.over

    def take(self, steps: int = 1) -> bool:
        """Take so many entries of code; true once the turn is over."""
        if not self.over:
            self._go(None, steps)
        return self.over

    def finish(self) -> None:
        """Go on to its end."""
        while not self.over:
            self._go(None, None)

    def _go(self, ticks: int | None, steps: int | None) -> None:
        """Run the thread for a piece."""
        thread, system = self.thread, self.system
        assert thread is not None
        machine = self.machine
        if machine is not None and machine.control.counting and ticks is None and steps is None:
            steps = ENDLESS  # what was counted so far goes on
        left = self._allowed - (thread.runner.ticks - system.began)
        try:
            if system.config.accesses in ("shared", "all") and system.shares(thread):
                until = None if ticks is None else thread.runner.ticks + ticks
                event = accesses.run(system, thread, left, until=until, steps=steps)
                if isinstance(event, Preempted):
                    ticks = None
            elif isinstance(thread.runner, WasmRunner):
                event = thread.runner.run(left if ticks is None else min(left, ticks), steps)
            else:
                event = thread.runner.run(left)
            if isinstance(event, Stepped):
                return
            if (
                ticks is not None
                and isinstance(event, Preempted)
                and thread.runner.ticks - system.began < self._allowed
            ):
                return
            self.over = True
            system.ran(thread, event)
        except Exhaustion as limit:
            self.over = True
            system.limit(limit.message)

    # As a value.

    def freeze(self) -> TurnState:
        """The turn as it is now, not over; costs what has changed since it began."""
        assert self.thread is not None
        machine = self.machine
        assert machine is not None, "only a machine can be left in the middle"
        tick, since = self.place
        frozen = state.freeze(self.system)
        return TurnState(frozen, self.thread.key, self._allowed, tick, since, machine.attention)

    @classmethod
    def thaw(cls, frozen: TurnState, like: System) -> Turn:
        """A turn that goes on from a value; ``like`` as for ``state.thaw``."""
        turn = cls.__new__(cls)
        turn.system = state.thaw(frozen.system, like=like)
        turn.over = False
        turn.thread = turn.system.threads[frozen.key]
        turn._allowed = frozen.allowed  # noqa: SLF001  # one of us
        machine = turn.machine
        assert machine is not None
        machine.attention = frozen.attends
        machine.since = frozen.since
        turn.system.began = machine.ticks - frozen.ticks
        return turn


__all__ = ["Turn", "TurnState"]
