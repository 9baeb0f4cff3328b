"""The debugger: a run with breakpoints that one goes along in both directions, looks into, and changes.

``Debugger(lindref.boot(...))`` stands at the beginning. All that moves gives a ``Stop``: why and where. Rules TRAVEL-1
to TRAVEL-7; what is shown as source or value is as the module's DWARF says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from lindref import classes
from lindref.debug import breakpoints as points
from lindref.debug.backsteps import BackStepper
from lindref.debug.breakpoints import (
    AtAddress,
    AtCall,
    AtChange,
    AtEvent,
    AtFunction,
    AtLine,
    Breakpoint,
    Where,
)
from lindref.debug.changes import change_of
from lindref.debug.code import Code, body_at, program_named
from lindref.debug.expressions import Assignment, ExpressionError, evaluate, value_of
from lindref.debug.frames import GuestFrame, SymbolTable, frames_at, stack_of
from lindref.debug.moving import Found, Look, Mover
from lindref.debug.places import Bytes
from lindref.debug.steps import Stepper
from lindref.debug.values import Value
from lindref.posix import flags
from lindref.system.cursor import Cursor
from lindref.system.events import End, Enter, Event, Exit, Signal
from lindref.system.lookback import descriptors
from lindref.system.outcome import Outcome
from lindref.system.position import Position
from lindref.system.scan import Change, Range
from lindref.system.threads import Idle, Thread
from lindref.trace.filters import THREEI_NAMES

if TYPE_CHECKING:
    from lindref.system.session import System
    from lindref.system.system import System as Engine
    from lindref.vm.machine import Machine
    from lindref.vm.program import Body, Program


@classes.frozen
class Stop:
    """Why the run stands still. ``reason``: ``entry``, ``step``, ``breakpoint``, ``data breakpoint``, ``exception``,
    ``pause``, ``goto``, ``start`` (of the run), ``end``; ``key`` is the thread it is about (0: none), ``text`` says
    more, ``hits`` are the breakpoints."""

    reason: str
    key: int = 0
    text: str = ""
    hits: tuple[Breakpoint, ...] = ()


@classes.frozen
class _Hit:
    """What a look for breakpoints says."""

    reason: str
    text: str
    hits: tuple[Breakpoint, ...]


class Debugger:
    """See the module. ``logged`` is told what breakpoints with a ``log`` say, the breakpoint and the text."""

    def __init__(self, session: System, *, logged: Callable[[Breakpoint, str], object] | None = None) -> None:
        self.cursor = Cursor(session)
        self.table = SymbolTable()
        self.code = Code(self.table)
        self.mover = Mover(self.cursor)
        self.breakpoints: dict[int, Breakpoint] = {}
        self.logged = logged
        #: Set by anybody at any time: the run stops at the end of the present turn.
        self.pausing = False
        #: The thread that steps are of, and that one stood still in last.
        self.key = next(iter(session.engine.threads), 0)
        self._numbers = 0
        self._entries: dict[tuple[int, int], list[Breakpoint]] = {}

    # Looking.

    @property
    def session(self) -> System:
        """The run as a line of turns."""
        return self.cursor.session

    @property
    def engine(self) -> Engine:
        """The live system where one stands. To be looked at only."""
        return self.cursor.engine

    @property
    def position(self) -> Position:
        """Where one stands."""
        return self.cursor.position

    @property
    def outcome(self) -> Outcome | None:
        """How the run ended, if it has where one stands."""
        return self.engine.outcome

    def threads(self) -> list[Thread]:
        """The threads, but for workers of grates that have nothing to do."""
        return [t for t in self.engine.threads.values() if not (t.slot and isinstance(t.status, Idle))]

    def stack(self, key: int | None = None) -> list[GuestFrame]:
        """The calls that a thread is in the middle of, the innermost first."""
        thread = self.engine.threads.get(self.key if key is None else key)
        return [] if thread is None else stack_of(self.engine, thread, self.table)

    def evaluate(self, text: str, frame: GuestFrame) -> Value:
        """The value of a C expression in a frame; an assignment is done (a new line of history begins) and gives what
        was assigned. Raises ``ExpressionError``."""
        found = evaluate(text, frame)
        if not isinstance(found, Assignment):
            return found
        self.assign(found, frame)
        return Value(found.target.type, Bytes(found.data), found.target.memory)

    # Changing: a new line of history begins.

    def assign(self, change: Assignment, frame: GuestFrame) -> None:
        """Change a variable by hand (TRAVEL-7)."""
        self.cursor.edit(change_of(change, frame))

    def write(self, cage: int, address: int, data: bytes) -> bool:
        """Change memory by hand (TRAVEL-7); false, and nothing changed, where it cannot be written."""
        memory = self.engine.memories.get(cage)
        if memory is None or not data or not memory.writable(address, len(data)):
            return False
        self.cursor.edit(lambda engine: engine.memories[cage].try_write(address, data))
        return True

    # Breakpoints.

    def add(self, where: Where, **more: object) -> Breakpoint:
        """A new breakpoint; ``more`` are fields of ``Breakpoint``. Raises ``BreakpointError``."""
        self._numbers += 1
        made = Breakpoint(self._numbers, where, **more)  # type: ignore[arg-type]  # its own fields
        self.breakpoints[made.id] = made
        self.resolve(made)
        return made

    def remove(self, number: int) -> None:
        """A breakpoint is no more."""
        self.breakpoints.pop(number, None)

    def keep_numbers(self, other: Debugger) -> None:
        """Breakpoints made from now on have numbers after those of another debugger, whose were taken over."""
        self._numbers = max(self._numbers, other._numbers)

    def resolve(self, one: Breakpoint) -> None:
        """Find where a breakpoint about code is, among the programs loaded so far; ``problem`` says if nowhere."""
        where = one.where
        if isinstance(where, AtLine | AtFunction | AtAddress):
            found = self._places(one, self.session.engine.images.programs())
            if found:
                body, pc = found[0]
                assert body.program is not None
                one.offset = body.instruction(pc).offset
                place = self.table.of(body.program).lines.place(one.offset)
                one.file, one.line = ("", 0) if place is None else (place.file, place.line)
            one.problem = "" if found else "no code for it in what is loaded so far"
        elif isinstance(where, AtCall) and where.name != "*":
            known = {row.name for row in self.engine.kernel.rows.values()} | set(THREEI_NAMES)
            one.problem = "" if where.name in known else f"no call is named {where.name}"
        elif isinstance(where, AtEvent):
            known = {*points.EVENTS, *flags.SETS["signal"].values()}
            one.problem = "" if where.what in known else f"no event {where.what} (one of: {', '.join(points.EVENTS)})"

    def _places(self, one: Breakpoint, programs: Mapping[str, Program]) -> list[tuple[Body, int]]:
        where = one.where
        if isinstance(where, AtAddress):
            found = (body_at(p, where.offset) for p in program_named(programs, where.program))
            return [place for place in found if place is not None]
        out: list[tuple[Body, int]] = []
        for program in programs.values():
            if isinstance(where, AtLine):
                out += self.code.of_line(program, where.file, where.line)[1]
            elif isinstance(where, AtFunction):
                out += self.code.of_function(program, where.name)
        return out

    def look(self) -> Look:
        """What the breakpoints look for."""
        active = [b for b in self.breakpoints.values() if b.enabled]
        code = [b for b in active if isinstance(b.where, AtLine | AtFunction | AtAddress)]
        data = [b for b in active if isinstance(b.where, AtChange)]
        events = [b for b in active if isinstance(b.where, AtCall | AtEvent)]

        def wanted(programs: Mapping[str, Program]) -> Mapping[Body, Iterable[int]]:
            places: dict[Body, set[int]] = {}
            self._entries = {}
            for one in code:
                for body, pc in self._places(one, programs):
                    places.setdefault(body, set()).add(pc)
                    self._entries.setdefault((id(body), pc), []).append(one)
                self.resolve(one)
            return places

        ranges = tuple(dict.fromkeys(b.where.range for b in data if isinstance(b.where, AtChange)))
        return Look(
            code=wanted if code else None,
            entry=self._at_entry if code else None,
            ranges=ranges,
            change=(lambda engine, change: self._at_change(data, engine, change)) if data else None,
            event=(lambda engine, event: self._at_event(events, engine, event)) if events else None,
            turned=self._turned,
        )

    def _turned(self, _: Engine) -> object:
        if self.pausing:
            self.pausing = False
            return _Hit("pause", "", ())
        return None

    def _at_entry(self, engine: Engine, key: int, machine: Machine, position: Position) -> object:
        frame, thread = machine.frame, engine.threads[key]
        assert frame is not None
        hits = []
        for one in self._entries.get((id(frame.body), machine.pc), ()):
            if one.cage is not None and one.cage != thread.cage:
                continue
            top = frames_at(thread, 0, frame, machine.pc, self.table)[0] if one.condition or one.log else None
            if self._counts(one, position, top):
                hits.append(one)
        return _Hit("breakpoint", "", tuple(hits)) if hits else None

    def _counts(self, one: Breakpoint, position: Position, frame: GuestFrame | None) -> bool:
        """A breakpoint is come by: whether to stop; what it has to say is said."""
        if one.condition and frame is not None:
            try:
                if not value_of(one.condition, frame).number():
                    return False
            except Exception as why:  # noqa: BLE001 -- a condition that cannot be had stops, and says so
                one.problem = f"condition: {why}"
        if not one.counts(position):
            return False
        if not one.log:
            return True
        if self.logged is not None and self._direction > 0:
            self.logged(one, interpolated(one.log, frame))
        return False

    #: Whether one goes forwards (1) or backwards.
    _direction = 1

    def _at_change(self, data: list[Breakpoint], engine: Engine, change: Change) -> object:
        thread = engine.threads.get(engine.current)
        frame = None
        if thread is not None and not change.late and any(b.condition or b.log for b in data):
            frame = next(iter(stack_of(engine, thread, self.table)), None)
        hits = [b for b in data if isinstance(b.where, AtChange) and b.where.range == change.range]
        hits = [b for b in hits if self._counts(b, change.position, frame)]
        before = "?" if change.before is None else _shown(change.before)
        text = f"{change.range.address:#x}: {before} → {_shown(change.after)}"
        return _Hit("data breakpoint", text, tuple(hits)) if hits else None

    def _at_event(self, events: list[Breakpoint], engine: Engine, event: Event) -> object:
        hits = []
        for one in events:
            if points.matches(one, event, self._entered, lambda call: descriptors(engine, call)):
                thread = next((t for t in engine.threads.values() if (t.cage, t.tid) == (event.cage, event.tid)), None)
                frame = None if thread is None else next(iter(stack_of(engine, thread, self.table)), None)
                if self._counts(one, Position(event.n), frame):
                    hits.append(one)
        if not hits:
            return None
        before = isinstance(event, Enter) or (isinstance(event, End) and bool(event.trap))
        before = before or (isinstance(event, Signal) and event.action != "handler")
        trouble = isinstance(event, Signal) or (isinstance(event, End) and bool(event.trap))
        return _Hit("exception" if trouble else "breakpoint", describe(event), tuple(hits)), before

    def _entered(self, call: int) -> Enter | None:
        for event in reversed(self.session.trace):
            if isinstance(event, Enter) and event.call == call:
                return event
        return None

    # Going.

    def run(self) -> Stop:
        """On to the next breakpoint, or the run's end."""
        self._direction = 1
        return self._stopped(self.mover.forward(self.look(), passed=self.key), "end")

    def reverse(self) -> Stop:
        """Back to the last breakpoint before, or the run's beginning."""
        self._direction = -1
        try:
            found = self.mover.backward(self.look())
        finally:
            self._direction = 1
        if found is None:
            self.cursor.goto(Position(0))
            self.key = next(iter(self.engine.threads), 0)
            return Stop("start", self.key)
        return self._stopped(found, "start")

    def step(self, kind: str = "over", *, lines: bool = True, key: int | None = None) -> Stop:
        """A step of a thread: ``in``, ``over`` or ``out``, by line (where there are any) or by instruction."""
        if key is not None:
            self.key = key
        self._direction = 1
        found = Stepper(self.mover, self.code).forward(self.key, kind, lines=lines, other=self.look())
        return self._stopped(found, "end")

    def back(self, kind: str = "over", *, lines: bool = True, key: int | None = None) -> Stop:
        """A step back of a thread."""
        if key is not None:
            self.key = key
        found = BackStepper(self.mover, self.code).backward(self.key, kind, lines=lines)
        return Stop("start", self.key) if found is None else self._stopped(found, "start")

    def goto(self, position: Position) -> Stop:
        """To a position; as far as there is one."""
        self.cursor.goto(position)
        self._choose_thread()
        return Stop("goto", self.key)

    def goto_event(self, number: int) -> Stop:
        """To where event ``number`` has just happened (TRAVEL-1)."""
        self.session.goto(number)
        self.cursor.forget()
        self._choose_thread()
        return Stop("goto", self.key)

    def goto_line(self, file: str, line: int, *, forwards: bool) -> bool:
        """To where a line of source runs next, or ran last; false if it does not: forwards one then stands at the run's
        end."""

        def wanted(programs: Mapping[str, Program]) -> Mapping[Body, Iterable[int]]:
            places: dict[Body, set[int]] = {}
            for program in programs.values():
                for body, pc in self.code.of_line(program, file, line)[1]:
                    places.setdefault(body, set()).add(pc)
            return places

        look = Look(code=wanted, entry=lambda *_: "goto", turned=self._turned)
        found = self.mover.forward(look, passed=self.key) if forwards else self.mover.backward(look)
        if found is None or found.why != "goto":
            return False
        self.key = found.key
        return True

    def last_write(self, cage: int, address: int, size: int) -> Stop | None:
        """Back to before what last changed a place in memory (TRAVEL-5); ``None``, and one stays, if nothing did."""
        look = Look(ranges=(Range(cage, address, size),), change=lambda _, __: _Hit("data breakpoint", "", ()))
        found = self.mover.backward(look)
        return None if found is None else self._stopped(found, "start")

    def settle(self) -> None:
        """After the session itself was moved: stand where it does."""
        self.cursor.forget()
        self._choose_thread()

    def _choose_thread(self) -> None:
        """The thread that is in the middle of its turn, or else the last one that ran and still is."""
        turn = self.cursor.turn
        threads = self.engine.threads
        if turn is not None and turn.thread is not None:
            self.key = turn.thread.key
        elif self.engine.current in threads:
            self.key = self.engine.current
        elif self.key not in threads:
            self.key = next(iter(threads), 0)

    def _stopped(self, found: Found | None, otherwise: str) -> Stop:
        if found is None:
            self._choose_thread()
            outcome = self.outcome
            return Stop(otherwise, self.key, "" if outcome is None else f"{outcome.ending} {outcome.status}")
        if found.key in self.engine.threads:
            self.key = found.key
        else:
            self._choose_thread()
        if isinstance(found.why, _Hit):
            return Stop(found.why.reason, self.key, found.why.text, found.why.hits)
        return Stop("step", self.key, "the thread has ended" if found.why == "gone" else "")


def _shown(data: bytes) -> str:
    if len(data) in (1, 2, 4, 8):
        return str(int.from_bytes(data, "little"))
    return data[:16].hex(" ") + ("…" if len(data) > 16 else "")


def describe(event: Event) -> str:
    """An event in a few words."""
    match event:
        case Enter():
            return f"{event.name} in cage {event.cage}"
        case Exit():
            return f"call {event.call} = {event.result}"
        case Signal():
            from lindref.posix.flags import signal

            return f"{signal(event.signo)} ({event.action}) in cage {event.cage}"
        case End() if event.trap:
            return f"trap in cage {event.cage}: {event.trap}"
        case _:
            return f"{event.kind} in cage {event.cage}"


def interpolated(text: str, frame: GuestFrame | None) -> str:
    """A log's text with the values of the expressions in braces."""
    out, rest = "", text
    while rest:
        before, brace, after = rest.partition("{")
        out += before
        inside, end, rest = after.partition("}")
        if brace and not end:
            return out + brace + inside
        if brace:
            try:
                out += "?" if frame is None else value_of(inside, frame).text()
            except ExpressionError as why:
                out += f"<{why}>"
    return out


__all__ = ["Debugger", "Stop"]
