"""Steps of one thread forwards: into, over and out of calls, by instruction or by line.

A step is a search (``moving``): it says at which entries of code the thread would be where the step leads. Depth is
what tells a call's own code from that of the calls it makes; what was put in place of a call counts as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from lindref import classes
from lindref.debug.code import Code, Statement, call_entries, callee, is_call
from lindref.debug.moving import Found, Look, Mover
from lindref.system.position import Position
from lindref.system.threads import InGrate, Thread
from lindref.system.wasm_runner import WasmRunner
from lindref.threei.tables import Handler, route
from lindref.vm.host_frame import HOST
from lindref.vm.values import FuncInst
from lindref.wasm.errors import WasmError

if TYPE_CHECKING:
    from lindref.system.system import System as Engine
    from lindref.vm.machine import Machine
    from lindref.vm.program import Body, Program

#: Frames outwards in which a step over a call waits for its return.
_OUTWARDS = 64


@classes.frozen(eq=False)
class Standing:
    """Where a thread stands: the guest's frame on top and the entry there, how deep that is, and the statement. What
    a step needs to know is taken here, as the frame itself goes on."""

    key: int
    body: Body
    pc: int
    depth: int
    statement: Statement | None
    outer: tuple[tuple[Body, int, int], ...]
    """The frames that called it, the innermost first: body, the entry that comes after the call, depth."""
    inside: bool
    """In the middle of a call of the host's, or waiting for memory."""

    @property
    def line(self) -> tuple[str, int, int]:
        """The line, and how many functions that were put in place of calls it is in."""
        return line_of(self.statement)

    def outwards(self) -> dict[Body, set[int]]:
        """Where the thread may come out of the present call: behind calls, and where exceptions are caught."""
        places: dict[Body, set[int]] = {}
        for body, pc, _ in self.outer:
            places.setdefault(body, set()).update({pc} | catches(body))
        return places


def line_of(statement: Statement | None) -> tuple[str, int, int]:
    """What tells one line's code from another's."""
    return ("", 0, 0) if statement is None else (statement.file, statement.line, statement.inlined)


def catches(body: Body) -> set[int]:
    """The entries at which a function goes on after an exception."""
    return {clause.pc for region in body.regions for clause in region.clauses}


def standing(engine: Engine, key: int, code: Code) -> Standing | None:
    """Where a thread stands; ``None`` where it is in no call of a guest's."""
    thread = engine.threads.get(key)
    if thread is None or not isinstance(thread.runner, WasmRunner):
        return None
    machine = thread.runner.machine
    frames = [(f, pc) for f, pc in machine.standing() if f.view is not None]
    if not frames:
        return None
    (frame, at), outer = frames[0], frames[1 : 1 + _OUTWARDS]
    rest = tuple((f.body, f.pc, f.depth) for f, _ in outer)
    statement = code.statement_at(frame.body, at)
    return Standing(key, frame.body, at, frame.depth, statement, rest, machine.awaiting is not None)


#: Looks at an entry that one of the step's threads is about to take.
Reached = Callable[[Look, int, "Machine"], object]


def _step(*_: object) -> object:
    return "step"


class Stepper:
    """Steps forwards. What it finds says ``"step"``, ``"gone"`` where the thread is no more, or what ``other`` (what
    else is looked for on the way, e.g. breakpoints) says."""

    def __init__(self, mover: Mover, code: Code) -> None:
        self.mover = mover
        self.code = code

    def forward(self, key: int, kind: str, *, lines: bool, other: Look) -> Found | None:
        """A step ``in``, ``over`` or ``out``, by line or by instruction; ``None`` at the run's end."""
        engine = self.mover.cursor.engine
        thread = engine.threads.get(key)
        if thread is None:
            return Found("gone", self.mover.cursor.position, key)
        here = standing(engine, key, self.code)
        if here is None or not isinstance(thread.runner, WasmRunner):
            if not isinstance(thread.runner, WasmRunner):
                return self._search(key, {HOST: {0, 1}}, _step, other, lambda _, now: now.current == key and "step")
            return self._instruction(key, other, inside=False)
        if kind == "out":
            return self._out(here, other)
        if lines and here.statement is not None:
            return _LineStep(self, here, into=kind == "in").run(other)
        if kind == "over" and not here.inside and is_call(here.body, here.pc):
            return self._over_call(here, other)
        return self._instruction(key, other, inside=here.inside)

    def _search(
        self,
        key: int,
        places: Mapping[Body, Iterable[int]],
        reached: Reached,
        other: Look,
        turned: Callable[[Look, Engine], object] | None = None,
    ) -> Found | None:
        """On until ``reached`` says something at one of the places where ``key`` is the thread that runs (or any, where
        ``turned`` is given, too: it is asked after each turn), or ``other`` says something."""
        look = Look(ranges=other.ranges, change=other.change, event=other.event)

        def code(programs: Mapping[str, Program]) -> Mapping[Body, Iterable[int]]:
            wanted = {body: set(entries) for body, entries in places.items()}
            for body, entries in (other.code(programs) if other.code is not None else {}).items():
                wanted.setdefault(body, set()).update(entries)
            return wanted

        def entry(engine: Engine, running: int, machine: Machine, position: Position) -> object:
            why = other.entry(engine, running, machine, position) if other.entry is not None else None
            return why or reached(look, running, machine)

        def after(engine: Engine) -> object:
            said = other.turned(engine) if other.turned is not None else None
            said = said or (turned(look, engine) if turned is not None else None)
            return said or ("gone" if key not in engine.threads else None)

        look.code, look.entry, look.turned = code, entry, after
        return self.mover.forward(look, passed=key)

    def _instruction(self, key: int, other: Look, *, inside: bool) -> Found | None:
        """One entry of the thread's code; a system call until it is back."""
        cursor = self.mover.cursor
        turn = cursor.turn
        if turn is None or turn.thread is None or turn.thread.key != key:
            found = self.about_to_run(key, other)
            if found is None or found.why != "step" or inside:
                return found
        began = cursor.position
        cursor.step()
        if cursor.position.turn == began.turn:
            return Found("step", cursor.position, key)
        return self.about_to_run(key, other)

    def about_to_run(self, key: int, other: Look) -> Found | None:
        """On until the thread is about to take an entry of code."""
        cursor = self.mover.cursor
        thread = cursor.engine.threads.get(key)
        if thread is None:
            return Found("gone", cursor.position, key)
        if cursor.session.engine.outcome is not None:
            return None
        if thread.runnable:
            probe = cursor.begin()
            if probe.thread is not None and probe.thread.key == key and not probe.over:
                return Found("step", cursor.position, key)
        places: dict[Body, set[int]] = {HOST: {0, 1}}
        machine = thread.runner.machine if isinstance(thread.runner, WasmRunner) else None
        if machine is not None and machine.frame is not None:
            places.setdefault(machine.frame.body, set()).add(machine.frame.pc)
        return self._search(key, places, lambda _, running, __: running == key and "step", other)

    def _over_call(self, here: Standing, other: Look) -> Found | None:
        """The call where the thread stands, until it is back."""
        places = here.outwards()
        places.setdefault(here.body, set()).update({here.pc + 1} | catches(here.body))

        def reached(_: Look, running: int, machine: Machine) -> object:
            return running == here.key and _depth(machine) <= here.depth and "step"

        return self._search(here.key, places, reached, other)

    def _out(self, here: Standing, other: Look) -> Found | None:
        """Until the present call is back where it was made: in the caller, also if that waits for a grate."""
        places = here.outwards()
        inlined = here.line[2]
        shallow = {s.pc for s in self.code.statements(here.body) if s.inlined < inlined}
        places.setdefault(here.body, set()).update(shallow)
        thread = self.mover.cursor.engine.threads[here.key]
        serving = thread.serving

        def reached(_: Look, running: int, machine: Machine) -> object:
            if running != here.key:
                return None
            depth = _depth(machine)
            return (depth < here.depth or (depth == here.depth and machine.pc in shallow)) and "step"

        def turned(_: Look, engine: Engine) -> object:
            worker = engine.threads.get(here.key)
            return serving and (worker is None or not worker.serving) and "served"

        found = self._search(here.key, places, reached, other, turned)
        return self.about_to_run(serving, other) if found is not None and found.why == "served" else found


class _LineStep:
    """Until another line begins, in the same call or one that it made (``into``), or until the call is back."""

    def __init__(self, stepper: Stepper, here: Standing, *, into: bool) -> None:
        self.stepper, self.here, self.into = stepper, here, into
        self.code = stepper.code
        self.statements = {s.pc: s for s in self.code.statements(here.body)}
        #: Of functions that are stepped into: where their own code begins, and which thread is to come there.
        self.starts: dict[tuple[int, int], int] = {}
        self.looked: set[int] = set()

    def run(self, other: Look) -> Found | None:
        """Take the step."""
        places = self.here.outwards()
        mine = places.setdefault(self.here.body, set())
        mine.update(self.statements)
        if self.into:
            mine.update(call_entries(self.here.body))
            for body, start in self.now():
                places.setdefault(body, set()).add(start)
        return self.stepper._search(self.here.key, places, self.reached, other, self.turned)  # noqa: SLF001

    def now(self) -> list[tuple[Body, int]]:
        """Where a call leads that the thread is about to make, or that a grate serves for it already."""
        thread = self.stepper.mover.cursor.engine.threads[self.here.key]
        assert isinstance(thread.runner, WasmRunner)
        machine = thread.runner.machine
        if isinstance(thread.status, InGrate):
            body, key = handler_of(self.stepper.mover.cursor.engine, thread), thread.status.worker
        elif machine.frame is not None and machine.awaiting is None:
            machine.load(machine.frame)
            body, key = callee(machine), self.here.key
        else:
            return []
        if body is None:
            return []
        self.looked.add(id(body))
        with suppress(WasmError):
            body.prepare()
            if self.code.has_lines(body):
                start = self.code.start(body)
                self.starts[id(body), start] = key
                return [(body, start)]
            return [(body, pc) for pc in call_entries(body)]
        return []

    def reached(self, look: Look, running: int, machine: Machine) -> object:
        """At one of the entries that matter."""
        frame, here = machine.frame, self.here
        assert frame is not None
        if self.into and self.starts.get((id(frame.body), machine.pc)) == running:
            if running != here.key or frame.depth > here.depth:
                return "step"
        if running != here.key:
            return None
        if frame.depth < here.depth:
            return "step"
        if self.into:
            self.follow(look, machine)
        if frame.depth != here.depth or frame.body is not here.body:
            return None
        statement = self.statements.get(machine.pc)
        if statement is None or (not self.into and statement.inlined > here.line[2]):
            return None
        return line_of(statement) != here.line and "step"

    def follow(self, look: Look, machine: Machine) -> None:
        """A call is about to be made: look at where the function's own code begins. In one without lines, look at the
        calls that it makes in turn."""
        body = callee(machine)
        if body is None or id(body) in self.looked or look.more is None:
            return
        self.looked.add(id(body))
        try:
            body.prepare()
        except WasmError:
            return  # to be a trap
        if self.code.has_lines(body):
            start = self.code.start(body)
            self.starts[id(body), start] = self.here.key
            look.more(body, [start])
        else:
            look.more(body, call_entries(body))

    def turned(self, look: Look, engine: Engine) -> object:
        """After a turn: a call that a grate serves leads into its handler."""
        thread = engine.threads.get(self.here.key)
        if self.into and thread is not None and isinstance(thread.status, InGrate):
            body = handler_of(engine, thread)
            if body is not None and look.more is not None:
                start = self.code.start(body)
                self.starts[id(body), start] = thread.status.worker
                look.more(body, [start])
        return None


def _depth(machine: Machine) -> int:
    assert machine.frame is not None
    return machine.frame.depth


def handler_of(engine: Engine, thread: Thread) -> Body | None:
    """The function of a grate that serves the call which a thread waits in; ``None`` where that is none of wasm."""
    status = thread.status
    assert isinstance(status, InGrate)
    pending = status.pending
    found = route(engine.tables, pending.caller, pending.number)
    worker = engine.threads.get(status.worker)
    if worker is None or not isinstance(worker.runner, WasmRunner) or not isinstance(found, Handler):
        return None
    view = worker.runner.view
    elements = view.tables[0].elements if view is not None and view.tables else []
    func = elements[found.address] if 0 <= found.address < len(elements) else None
    if not isinstance(func, FuncInst):
        return None
    body = worker.runner.store.views[func.instance].instance.program.body(func.index)
    try:
        body.prepare()
    except WasmError:
        return None
    return body


__all__ = ["Standing", "Stepper", "handler_of", "line_of", "standing"]
