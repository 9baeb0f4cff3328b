"""A machine that runs hot functions compiled, and everything else as the reference machine does (MACH-4).

It enters compiled code where ticks are counted: at a function's entry and at a loop's head. When compiled code cannot
go on, an exception passes through its Python frames; the traceback says which lines they were in, and from their
variables the wasm frames are made, as if the reference machine had been running all the time.
"""

from __future__ import annotations

import struct
import sys
from types import CodeType, TracebackType
from typing import Any, Final

from lindref.vm.compiled.clock import STRETCH, Clock, borrow, give_back
from lindref.vm.compiled.raising import Bail, Tick, WasmException
from lindref.vm.compiled.space import Space, space_of
from lindref.vm.compiled.unit import MAX_WEIGHT, UNITS, Unit, unit
from lindref.vm.frame import Frame
from lindref.vm.limits import Exhaustion
from lindref.vm.machine import DEFAULT_DEPTH, Machine
from lindref.vm.ops_exceptions import unwind
from lindref.vm.outcomes import Outcome, Thrown
from lindref.vm.store import Store
from lindref.vm.traps import Trap
from lindref.vm.values import ExnInst, Value

#: How a line of compiled code fails: the reference machine then does it, and says what it comes to.
FAILURES: Final = (
    Bail,
    Tick,
    Trap,
    Exhaustion,
    ZeroDivisionError,
    LookupError,
    struct.error,
    OverflowError,
    RecursionError,
)

#: A function is compiled after so many calls, or a loop after so many rounds, and so many more per instruction: about
#: what compiling costs.
HEAT: Final = 20
HEAT_PER_INSTRUCTION: Final = 0.5

#: Where nothing is compiled, every so-manieth tick is looked at.
WIDEST: Final = 16


class CompilingMachine(Machine):
    """A machine with two tiers. ``eager``: everything is compiled when first met."""

    __slots__ = ("_clock", "_gap", "_plain", "eager")

    def __init__(self, store: Store, *, max_depth: int = DEFAULT_DEPTH, eager: bool = False) -> None:
        super().__init__(store, max_depth=max_depth)
        self.eager = eager
        self._plain = False
        self._gap = 1
        self._clock: Clock | None = None

    def run(self, ticks: int | None = None, steps: int | None = None) -> Outcome:
        """See ``Machine``; counting steps is for the reference machine alone."""
        self._plain = steps is not None
        try:
            return super().run(ticks, steps)
        finally:
            if self._clock is not None:
                give_back(self._clock)
                self._clock = None

    def _portion(self) -> None:
        """Few ticks at a time: each that is seen may be where compiled code begins; fewer where there is none."""
        if self._plain:
            super()._portion()
            return
        self.fuel = self._gap if self._reserve is None else min(self._gap, self._reserve)
        self._granted += self.fuel
        if self._reserve is not None:
            self._reserve -= self.fuel

    def at_tick(self) -> None:
        """At a function's entry or a loop's head: on in compiled code if there is any."""
        super().at_tick()
        frame = self.frame
        if self._plain or frame is None or frame.view is None:
            return
        body, entry = frame.body, self.pc
        ready: Unit | None = body.compiled.get(entry)
        if ready is None:
            assert body.facts is not None
            heat = body.heat.get(entry, 0) + self._gap
            body.heat[entry] = heat
            if not self.eager and heat < HEAT + HEAT_PER_INSTRUCTION * len(body.facts.heights):
                self._gap = min(2 * self._gap, WIDEST)
                return
            ready = unit(body, entry)
        if ready.code is None or ready.barred:
            self._gap = 1 if self.eager else min(2 * self._gap, WIDEST)
            return
        self._gap = 1
        self._few()
        self._enter(frame, ready)

    def _enter(self, frame: Frame, ready: Unit) -> None:
        """Runs a unit in place of the frame on top, which stands at its entry."""
        if frame.depth + sys.getrecursionlimit() * MAX_WEIGHT > self.max_depth:
            return
        assert frame.view is not None
        assert frame.parent is not None
        body = frame.body
        function = space_of(self.store, frame.view).function(ready)
        most = STRETCH if self._reserve is None else min(self.fuel + self._reserve, STRETCH)
        # The tick of a function's entry was counted already.
        given = most - 1 if ready.entry else most
        args = [*frame.locals, *frame.stack] if ready.entry else frame.locals[: body.n_params]
        clock = self._clock
        if clock is None:
            clock = self._clock = borrow()
        ready_made = clock.left - given
        if self._reserve is None and -STRETCH < 2 * ready_made < 0:
            given += ready_made
            most += ready_made
        else:
            clock.wind(given)
        for view in self.store.views:
            if view.space is not None:
                view.space.fuel(clock)
        frame.pc = self.pc
        failed: BaseException | None = None
        thrown: ExnInst | None = None
        values: Any = ()
        try:
            values = function(*args)
        except FAILURES as failure:
            failed = failure
        except WasmException as exception:
            thrown = exception.exn
        used = max(most - 1 - clock.left, 0)
        self._granted += used
        if self._reserve is not None:
            self._reserve -= used
        if failed is not None:
            ready.worth(used)
            self._leave(frame, failed)
            return
        self.load(frame.parent)
        if thrown is not None:
            self._unwind(thrown)
            return
        count = body.n_results
        if count == 1:
            self.stack.append(values)
        elif count:
            self.stack += values

    def _unwind(self, exn: ExnInst) -> None:
        """An exception that no compiled frame caught goes on from the frame on top. Where it is caught by a loop's
        head, compiled code is not entered from here."""
        self._plain = True
        unwind(self, exn)
        self._plain = False
        self._few()

    def _few(self) -> None:
        """Leaves the machine one tick of its portion: the next one is looked at."""
        more = self.fuel - 1
        self.fuel = 1
        self._granted -= more
        if self._reserve is not None:
            self._reserve += more

    def _leave(self, frame: Frame, failure: BaseException) -> None:
        """Makes wasm frames of the Python frames that a failure came through, in place of ``frame``."""
        top = frame.parent
        traceback = failure.__traceback__
        found: list[tuple[Unit, TracebackType]] = []
        while traceback is not None:
            known = UNITS.get(traceback.tb_frame.f_code.co_filename)
            if known is not None:
                found.append((known, traceback))
            traceback = traceback.tb_next
        if not found:  # Python's stack was used up before anything had begun
            self.load(frame)
            return
        for n, (known, traceback) in enumerate(found):
            top = self._frame(known, traceback, top, last=n == len(found) - 1)
        assert top is not None
        self.load(top)
        if isinstance(failure, Tick):
            self.fuel = 0  # the tick that there was no more of is counted; the machine stands where that was
            super().at_tick()

    def _frame(self, known: Unit, traceback: TracebackType, parent: Frame | None, *, last: bool) -> Frame:
        """The wasm frame for a Python frame."""
        python = traceback.tb_frame
        names = python.f_globals
        view = names["view"]
        body = view.instance.program.body(known.index)
        line = traceback.tb_lineno
        pc, operands = known.before(line) if last else known.after(line)
        variables = python.f_locals
        get = variables.get
        made = Frame(
            view,
            body,
            [get(name, zero) for name, zero in known.locals_of(body)],
            parent,
            (0 if parent is None else parent.depth) + body.weight,
        )
        made.pc = pc
        if operands is not None:
            made.stack += self._operands(view.space, operands, dict(variables))
        return made

    @staticmethod
    def _operands(space: Space, expression: CodeType, variables: dict[str, Any]) -> tuple[Value, ...]:
        """The values of operands; what they name and nothing else did is bound first."""
        for name in expression.co_names:
            if name not in variables and name not in space.names:
                space.bind(name)
        values: tuple[Value, ...] = eval(expression, space.names, variables)  # noqa: S307 (an expression of our own)
        return values

    def throw(self, exn: ExnInst) -> Thrown | None:
        """See ``Machine``; nothing runs meanwhile."""
        self._plain = True
        return super().throw(exn)
