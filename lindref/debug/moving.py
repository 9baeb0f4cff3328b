"""Going to the next or the last place that is looked for: what breakpoints and steps are made of.

What is looked for is a ``Look``: entries of code with what to say at them, ranges of memory, events. Forwards the run
itself is taken until something is said; backwards the past is taken again, piece by piece from the present, and the
last thing that was said before the present is where to go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.system.cursor import Cursor
from lindref.system.events import Event
from lindref.system.position import Position
from lindref.system.scan import Change, Interrupted, Range, Scan

if TYPE_CHECKING:
    from lindref.system.session import System
    from lindref.system.system import System as Engine
    from lindref.vm.machine import Machine
    from lindref.vm.program import Body, Program

#: At an entry: the engine, the key of the thread that runs, the machine, the place. What it gives is why to stop there.
Said = Callable[["Engine", int, "Machine", Position], object]


@classes.define(eq=False)
class Look:
    """What is looked for. ``code`` gives the entries to look at, ``entry`` what to say there; ``ranges`` and ``change``
    are the same for memory, ``event`` for events; ``turned`` is asked after each turn (forwards only). ``more`` is set
    while code is looked at: it adds entries."""

    code: Callable[[Mapping[str, Program]], Mapping[Body, Iterable[int]]] | None = None
    entry: Said | None = None
    ranges: tuple[Range, ...] = ()
    change: Callable[[Engine, Change], object] | None = None
    event: Callable[[Engine, Event], object] | None = None
    turned: Callable[[Engine], object] | None = None
    more: Callable[[Body, Iterable[int]], None] | None = None


@classes.frozen
class Found:
    """Why to stop (what the look said), where, and the thread that ran."""

    why: Any
    position: Position
    key: int


class Mover:
    """Moves a cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

    @property
    def session(self) -> System:
        """The session that is moved along."""
        return self.cursor.session

    # Forwards.

    def forward(self, look: Look, *, passed: int = 0) -> Found | None:
        """On until something is said; ``None`` at the run's end. At the present place itself nothing is looked at if
        thread ``passed`` is the one that stands there."""
        session, here = self.session, self.cursor.position
        self.cursor.forget()
        seen = session.position

        def entry(machine: Machine, position: Position) -> object:
            key = session.engine.current
            if position == here and key == passed:
                return None
            assert look.entry is not None
            why = look.entry(session.engine, key, machine, position)
            return Found(why, position, key) if why else None

        def change(one: Change) -> object:
            assert look.change is not None
            after = one.position if one.late else one.position._replace(step=one.position.step + 1)
            why = look.change(session.engine, one) if after > here else None
            return Found(why, after, session.engine.current) if why else None

        def turned() -> object:
            nonlocal seen
            events, seen = session.events(seen), session.position
            found = [f for e in events if look.event is not None and (f := self._event(look, e)) is not None]
            later = [f for f in found if f.position > here]
            if later:
                return min(later, key=lambda f: f.position)
            why = look.turned(session.engine) if look.turned is not None else None
            return Found(why, Position(session.turn), session.engine.current) if why else None

        scan = Scan(
            session,
            wanted=look.code,
            entry=None if look.entry is None else entry,
            ranges=look.ranges,
            change=None if look.change is None else change,
            turned=turned,
        )
        look.more = scan.hooks.add
        try:
            found = scan.run(here)
        except Interrupted as stop:
            session.recover(stop.position.turn)
            found = stop.why
        finally:
            look.more = None
        if not isinstance(found, Found):
            return None
        self.cursor.goto(found.position)
        return found

    def _event(self, look: Look, event: Event) -> Found | None:
        """What is said of an event, and where that is: ``look.event`` gives why, and whether to stop before it."""
        assert look.event is not None
        said = look.event(self.session.engine, event)
        if not said:
            return None
        why, before = said if isinstance(said, tuple) else (said, False)
        turn = self.session.turn_of(event.n)
        position = self.before_event(turn) if before and turn else Position(turn)
        return Found(why, position, self.session.ran(turn))

    def before_event(self, turn: int) -> Position:
        """The place before the instruction that ends turn number ``turn``; one stays where one is."""
        other = Cursor(self.session.branch())
        found = other.last_entry(turn - 1)
        return Position(turn) if found is None else found

    # Backwards.

    def backward(self, look: Look) -> Found | None:
        """Back to the last place before the present of which something is said; ``None``, where one stays, if there is
        none."""
        here = end = self.cursor.position
        begins = [turn for turn, _, _ in self.session.segments()]
        if here > Position(self.session.turn) and begins and begins[0] != self.session.turn:
            begins.insert(0, self.session.turn)
        for begin in begins:
            if Position(begin) >= end:
                continue
            found = [f for f in self.look_through(look, begin, end) if f.position < here]
            if found:
                last = max(found, key=lambda f: f.position)
                self.cursor.goto(last.position)
                return last
            end = Position(begin)
        return None

    def look_through(self, look: Look, begin: int, end: Position) -> list[Found]:
        """All that is said between the beginning of a turn and a place, in order."""
        other = self.session.branch()
        other.goto_turn(begin)
        found: list[Found] = []

        def entry(machine: Machine, position: Position) -> None:
            assert look.entry is not None
            key = other.engine.current
            why = look.entry(other.engine, key, machine, position)
            if why:
                found.append(Found(why, position, key))

        def change(one: Change) -> None:
            assert look.change is not None
            why = look.change(other.engine, one)
            position = self.before_event(one.position.turn) if one.late and why else one.position
            if why:
                found.append(Found(why, position, other.engine.current))

        scan = Scan(
            other,
            wanted=look.code,
            entry=None if look.entry is None else entry,
            ranges=look.ranges,
            change=None if look.change is None else change,
        )
        look.more = scan.hooks.add
        try:
            if look.code is not None or look.ranges:
                scan.run(Position(begin), end)
        except Interrupted:
            pass  # at the end
        finally:
            look.more = None
        if look.event is not None:
            for event in self.session.events(self.session.events_before(begin), end.turn + bool(end[1:] > (0, 0))):
                one = self._event(look, event)
                if one is not None and one.position <= end:
                    found.append(one)
        return found

    def widening(self, look: Callable[[], Look], choose: Callable[[list[Found]], Found | None]) -> Found | None:
        """As ``backward``, where one finding alone says nothing: longer and longer pieces of the past up to the present
        are looked through, until ``choose`` finds what it wants among all that was said."""
        here = self.cursor.position
        begins = [turn for turn, _, _ in self.session.segments()]
        begins = [b for b in begins if Position(b) < here]
        at = 0
        while begins:
            at = min(at, len(begins) - 1)
            found = choose(self.look_through(look(), begins[at], here))
            if found is not None or at == len(begins) - 1:
                return found
            at = 2 * at + 1
        return None


__all__ = ["Found", "Look", "Mover"]
