"""Standing anywhere in a run, also in the middle of a turn (TRAVEL-6).

The session stands where the turn begins; the turn itself is taken, up to the place, on a copy of its system. On the way
there marks are left, so that going a little back costs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.system import state
from lindref.system.position import Position
from lindref.system.turn import Turn, TurnState

if TYPE_CHECKING:
    from lindref.system.session import Edit, System
    from lindref.system.system import System as Engine

#: Before a tick that is gone to, marks are left at these distances.
_MARKS = (4096, 512, 64, 8)


class Cursor:
    """A place in a session's run. Going elsewhere moves the session along."""

    def __init__(self, session: System) -> None:
        session.make_fine()
        self.session = session
        self._turn: Turn | None = None
        self._marks: list[TurnState] = []
        self._base = session.turn, session.engine

    @property
    def position(self) -> Position:
        """Where one stands."""
        if self._fresh() and self._turn is not None:
            return Position(self.session.turn, *self._turn.place)
        return Position(self.session.turn)

    @property
    def engine(self) -> Engine:
        """The live system as it is there. To be looked at only: see ``session.edit``."""
        return self._turn.system if self._fresh() and self._turn is not None else self.session.engine

    @property
    def turn(self) -> Turn | None:
        """The turn in the middle of which one stands, if it is so."""
        return self._turn if self._fresh() else None

    def _fresh(self) -> bool:
        """Whether the session is where it was; else what was known of the turn is forgotten."""
        here = self.session.turn, self.session.engine
        if self._base[0] == here[0] and self._base[1] is here[1]:
            return True
        self._base = here
        self.forget()
        return False

    def forget(self) -> None:
        """Stand where the turn begins; what was known of it may not hold any more."""
        self._turn = None
        self._marks = []

    def goto(self, position: Position) -> bool:
        """Go to a position; false, at the end of that turn or of the run, if there is none such."""
        session = self.session
        if position.turn != session.turn and not session.goto_turn(position.turn):
            self._fresh()
            return False
        self._fresh()
        if position == (position.turn, 0, 0):
            self._turn = None
            return True
        turn = self._turn
        if turn is None or self.position > position:
            turn = self._from_mark(position)
        if self._go(turn, position):
            self._turn = None
            session.step()
            self._fresh()
            return False
        self._turn = turn
        return True

    def edit(self, change: Edit) -> None:
        """Change something by hand here (``session.edit``)."""
        turn = self.turn
        self.session.edit(self.position, change)
        if turn is not None:
            change(turn.system)

    def begin(self) -> Turn:
        """The turn that comes next from its beginning, on a copy, without changes by hand."""
        turn = Turn(self._copy())
        turn.system.overrides = self.session.engine.overrides
        return turn

    def _copy(self) -> Engine:
        return state.thaw(self.session.snapshot(), like=self.session.engine)

    def _from_mark(self, position: Position) -> Turn:
        for mark in reversed(self._marks):
            if (mark.ticks, mark.since) <= position[1:]:
                turn = Turn.thaw(mark, like=self.session.engine)
                turn.system.overrides = self.session.engine.overrides
                return turn
        return self.begin()

    def _go(self, turn: Turn, position: Position) -> bool:
        """Take a turn up to a position, and leave marks on the way; true if it ends before."""
        for before in _MARKS:
            tick = position.tick - before
            if tick > turn.place[0] and not any(m.ticks == tick for m in self._marks):
                if self._take(turn, Position(position.turn, tick)):
                    return True
                self._marks.append(turn.freeze())
        self._marks.sort(key=lambda mark: (mark.ticks, mark.since))
        return self._take(turn, position)

    def _take(self, turn: Turn, until: Position | None) -> bool:
        """Take a turn up to a position, or to its end, with the changes by hand on the way; true once it is over."""
        number = self.session.turn
        for at, change in self.session.edits():
            here = Position(number, *turn.place)
            if here <= at and (until is None or at <= until):  # where one stands already it is done again, to no effect
                if turn.to(at.tick, at.step):
                    return True
                change(turn.system)
        if until is None:
            turn.finish()
            return True
        return turn.to(until.tick, until.step)

    def step(self) -> bool:
        """Take one entry of code; false once the run is over. A turn without any is taken whole."""
        if self.session.engine.outcome is not None:
            return False
        here = self.position
        self.goto(Position(here.turn, here.tick, here.step + 1) if self.turn else Position(here.turn, 0, 1))
        return True

    # Backwards.

    def last_entry(self, turn: int) -> Position | None:
        """The position before the last entry of code that is taken in the turn after ``turn`` turns; ``None`` if none
        is. The session stands there then."""
        self.session.goto_turn(turn)
        self._fresh()
        probe = self.begin()
        machine = probe.machine
        if machine is None or probe.over:
            return None
        began = probe.system.began
        self._take(probe, None)
        tick = machine.ticks - began
        return self._before(turn, tick, None)

    def _before(self, turn: int, tick: int, step: int | None) -> Position | None:
        """The position one entry before ``(tick, step)`` of the present turn; ``step`` ``None``: before its end."""
        if step is not None and step > 0:
            return Position(turn, tick, step - 1)
        if step is None:
            self.goto(Position(turn, tick, 0))
            probe = self._probe(Position(turn, tick, 0))
            machine = probe.machine
            assert machine is not None
            machine.control.counting = True
            try:
                self._take(probe, None)
            finally:
                machine.control.counting = False
            if machine.since:
                return Position(turn, tick, machine.since - 1)
        if not tick:
            return None
        probe = self._probe(Position(turn, tick - 1, 0))
        machine = probe.machine
        assert machine is not None
        machine.control.counting = True
        try:
            self._take(probe, Position(turn, tick))
        finally:
            machine.control.counting = False
        return Position(turn, tick - 1, machine.lap - 1)

    def _probe(self, position: Position) -> Turn:
        """A turn of its own that stands at a position, with the changes by hand up to it."""
        turn = self._from_mark(position)
        self._go(turn, position)
        return turn

    def before(self, position: Position) -> Position | None:
        """The position one entry before ``position``, in the same turn; ``None`` at the turn's beginning. The session
        stands in that turn then."""
        if position.turn != self.session.turn:
            self.session.goto_turn(position.turn)
        self._fresh()
        return self._before(position.turn, position.tick, position.step)


__all__ = ["Cursor"]
