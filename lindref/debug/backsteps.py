"""Steps of one thread backwards: to the instruction, line or call before.

A step back over a line leads where a step forwards over the line before would have stopped: to the beginning of the
present line if one stands within it, else to that of the line before in the same call, else to the call itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.debug.code import Code, call_entries, callee, is_call
from lindref.debug.moving import Found, Look, Mover
from lindref.debug.steps import Standing, line_of, standing
from lindref.system.position import Position

if TYPE_CHECKING:
    from lindref.system.system import System as Engine
    from lindref.vm.machine import Machine
    from lindref.vm.program import Body


@classes.frozen
class _Seen:
    """What the thread passed: ``entry`` of a function, a ``line`` that begins, a ``call`` that is about to be made, the
    ``caller``'s call of the present function."""

    what: str
    line: tuple[str, int, int] = ("", 0, 0)
    callee: Any = None


class BackStepper:
    """Steps backwards. ``None``: the thread was nowhere before; one stays where one is."""

    def __init__(self, mover: Mover, code: Code) -> None:
        self.mover = mover
        self.code = code

    def backward(self, key: int, kind: str, *, lines: bool) -> Found | None:
        """A step back ``in``, ``over`` or ``out`` of calls, by line or by instruction."""
        here = standing(self.mover.cursor.engine, key, self.code)
        if here is not None:
            if kind == "out":
                return self._caller(here)
            if lines and here.statement is not None:
                return self._line(here, into=kind == "in")
            if kind == "over":
                return self._instruction_over(here)
        return self.instruction(key)

    def instruction(self, key: int) -> Found | None:
        """The entry of code that the thread took last."""
        cursor, session = self.mover.cursor, self.mover.session
        here = cursor.position
        turn = cursor.turn
        if turn is not None and turn.thread is not None and turn.thread.key == key:
            before = cursor.before(here) or Position(here.turn)
            cursor.goto(before)
            return Found("step", before, key)
        for number in range(here.turn, 0, -1):
            if session.ran(number) == key:
                last = cursor.last_entry(number - 1)
                if last is not None:
                    cursor.goto(last)
                    return Found("step", last, key)
        cursor.goto(here)
        return None

    def _instruction_over(self, here: Standing) -> Found | None:
        """The entry before in the same call: where a call came back, the call."""
        origin = self.mover.cursor.position
        found = self.instruction(here.key)
        if found is None:
            return None
        before = standing(self.mover.cursor.engine, here.key, self.code)
        if before is None or before.depth <= here.depth or not here.pc or not is_call(here.body, here.pc - 1):
            return found
        self.mover.cursor.goto(origin)
        back = self._last(here, {here.body: {here.pc - 1}}, here.depth)
        if back is None:
            self.mover.cursor.goto(found.position)
        return back or found

    def _caller(self, here: Standing) -> Found | None:
        """The call that led to the present function, or the beginning of the thread."""
        if not here.outer:
            return self._birth(here.key)
        body, pc, depth = here.outer[0]
        if pc and is_call(body, pc - 1):
            return self._last(here, {body: {pc - 1}}, depth)
        return self._last(here, {body: {pc}}, depth)  # a signal's handler: where it came in

    def _last(self, here: Standing, places: Mapping[Body, Iterable[int]], depth: int) -> Found | None:
        """The last time before the present that the thread was at one of the places, that deep."""

        def entry(_: Engine, running: int, machine: Machine, __: Position) -> object:
            assert machine.frame is not None
            return running == here.key and machine.frame.depth == depth and "step"

        return self.mover.backward(Look(code=lambda _: places, entry=entry))

    def _birth(self, key: int) -> Found | None:
        """Where the thread had its first turn."""
        session, cursor = self.mover.session, self.mover.cursor
        turns = range(1, cursor.position.turn + 2)
        first = next((n for n in turns if session.ran(n) == key), None)
        if first is None or Position(first - 1) >= cursor.position:
            return None
        cursor.goto(Position(first - 1))
        return Found("step", Position(first - 1), key)

    # Lines.

    def _line(self, here: Standing, *, into: bool) -> Found | None:
        """See the module."""
        origin = self.mover.cursor.position
        found = self.mover.widening(lambda: self._look(here, into=into), lambda all_: self._choose(all_, here, origin))
        if found is None:
            return self._birth(here.key)
        seen: _Seen = found.why
        if into and seen.what == "call":
            inside = self._last_line_in(found, seen.callee, here, origin)
            if inside is not None:
                found = inside
        self.mover.cursor.goto(found.position)
        return Found("step", found.position, here.key)

    def _look(self, here: Standing, *, into: bool) -> Look:
        statements = {s.pc: s for s in self.code.statements(here.body)}
        places: dict[Body, set[int]] = {here.body: {0} | statements.keys()}
        calls = set(call_entries(here.body)) if into else set()
        places[here.body] |= calls
        outer = here.outer[0] if here.outer else None
        if outer is not None and outer[1] and is_call(outer[0], outer[1] - 1):
            places.setdefault(outer[0], set()).add(outer[1] - 1)

        def entry(_: Engine, running: int, machine: Machine, __: Position) -> object:
            frame = machine.frame
            assert frame is not None
            if running != here.key:
                return None
            if outer is not None and frame.depth == outer[2] and frame.body is outer[0] and machine.pc == outer[1] - 1:
                return _Seen("caller")
            if frame.depth != here.depth or frame.body is not here.body:
                return None
            if machine.pc == 0:
                return _Seen("entry")
            statement = statements.get(machine.pc)
            if statement is not None and (into or statement.inlined <= here.line[2]):
                return _Seen("line", line_of(statement))
            target = callee(machine) if machine.pc in calls else None
            if target is not None and target.code is not None and self.code.has_lines(target):
                return _Seen("call", callee=target)
            return None

        return Look(code=lambda _: places, entry=entry)

    @staticmethod
    def _choose(all_: list[Found], here: Standing, origin: Position) -> Found | None:
        """The last beginning of a line before the present; ``None`` where what was seen does not reach far enough."""
        best: Found | None = None
        last: tuple[str, int, int] | None = None  # the line that runs; unknown at first
        known = False
        for one in all_:
            seen: _Seen = one.why
            if one.position >= origin:
                break
            if seen.what == "caller":
                best, last, known = one, ("", 0, 0), True
            elif seen.what == "entry":
                last, known = ("", 0, 0), True
            elif seen.what == "call":
                best = one
            elif known and seen.line != last:
                best, last = one, seen.line
            elif not known:
                last, known = seen.line, True
        del here
        return best

    def _last_line_in(self, call: Found, target: Body, here: Standing, origin: Position) -> Found | None:
        """The beginning of the last line that the function ran which was called at ``call``."""
        statements = {s.pc: s for s in self.code.statements(target)}

        def entry(_: Engine, running: int, machine: Machine, position: Position) -> object:
            frame = machine.frame
            assert frame is not None
            if running != here.key or frame.depth <= here.depth or frame.body is not target or position < call.position:
                return None
            return _Seen("line", line_of(statements[machine.pc]))

        look = Look(code=lambda _: {target: statements.keys()}, entry=entry)
        found = [f for f in self.mover.look_through(look, call.position.turn, origin) if f.position < origin]
        best: Found | None = None
        for one in found:
            if best is None or one.why.line != best.why.line:
                best = one
        start = self.code.start(target)
        return best if best is not None or start else None


__all__ = ["BackStepper"]
