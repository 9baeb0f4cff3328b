"""A machine that runs hot functions compiled, and everything else as the reference machine does.

It enters compiled code where ticks are counted: at a function's entry and at a loop's head. When compiled code cannot
go on, an exception passes through its Python frames; the traceback says which lines they were in, and from their
variables the wasm frames are made, as if the reference machine had been running all the time.
"""

from __future__ import annotations

import struct
import sys
from types import TracebackType
from typing import Any, Final

from lindref.vm.compiled.clock import STRETCH, Clock, borrow, give_back
from lindref.vm.compiled.space import Bail, Space, Tick, space_of
from lindref.vm.compiled.unit import MAX_WEIGHT, UNITS, Unit, unit
from lindref.vm.frame import Frame
from lindref.vm.limits import Exhaustion
from lindref.vm.machine import DEFAULT_DEPTH, Machine
from lindref.vm.outcomes import Outcome, Thrown
from lindref.vm.store import Store
from lindref.vm.traps import Trap
from lindref.vm.values import ExnInst

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
HEAT: Final = 40
HEAT_PER_INSTRUCTION: Final = 2


class CompilingMachine(Machine):
    """A machine with two tiers. ``eager``: everything is compiled when first met."""

    __slots__ = ("_clock", "_plain", "eager")

    def __init__(self, store: Store, *, max_depth: int = DEFAULT_DEPTH, eager: bool = False) -> None:
        super().__init__(store, max_depth=max_depth)
        self.eager = eager
        self._plain = False
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
        """One tick at a time, so that each is seen."""
        if self._plain:
            super()._portion()
            return
        self.fuel = 1
        self._granted += 1
        if self._reserve is not None:
            self._reserve -= 1

    def at_tick(self) -> None:
        """At a function's entry or a loop's head: on in compiled code if there is any."""
        super().at_tick()
        frame = self.frame
        if self._plain or frame is None or frame.view is None:
            return
        body, entry = frame.body, self.pc
        heat = body.heat.get(entry, 0) + 1
        body.heat[entry] = heat
        ready: Unit | None = body.compiled.get(entry)
        if ready is None:
            assert body.facts is not None
            if not self.eager and heat < HEAT + HEAT_PER_INSTRUCTION * len(body.facts.heights):
                return
            ready = unit(body, entry)
        if ready.code is not None and not ready.barred:
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
        values: Any = ()
        try:
            values = function(*args)
        except FAILURES as failure:
            failed = failure
        used = max(most - 1 - clock.left, 0)
        self._granted += used
        if self._reserve is not None:
            self._reserve -= used
        if failed is not None:
            ready.worth(used)
            self._leave(frame, failed)
            return
        self.load(frame.parent)
        count = body.n_results
        if count == 1:
            self.stack.append(values)
        elif count:
            self.stack += values

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
        variables = dict(python.f_locals)
        locals_ = [variables.get(f"v{i}") for i in range(body.n_params)]
        locals_ += [variables.get(f"v{i}", zero) for i, zero in enumerate(body.zeros, body.n_params)]
        depth = (0 if parent is None else parent.depth) + body.weight
        made = Frame(view, body, locals_, parent, depth)
        made.pc = pc
        space: Space = view.space
        for name in operands.co_names:
            if name not in variables and name not in names:
                space.bind(name)
        made.stack += eval(operands, names, variables)  # noqa: S307 (an expression of our own making)
        return made

    def throw(self, exn: ExnInst) -> Thrown | None:
        """See ``Machine``; nothing runs meanwhile."""
        self._plain = True
        return super().throw(exn)
