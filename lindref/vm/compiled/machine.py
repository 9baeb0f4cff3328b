"""A machine that runs hot functions compiled, and everything else as the reference machine does (MACH-4).

It enters compiled code where ticks are counted: at a function's entry and at a loop's head. When compiled code cannot
go on, an exception passes through its Python frames; the traceback says which lines they were in, and from their
variables the wasm frames are made, as if the reference machine had been running all the time.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from types import CodeType, FrameType, TracebackType
from typing import Any, Final

from lindref.vm.compiled.clock import STRETCH, Clock, borrow, give_back
from lindref.vm.compiled.raising import Bail, Left, Tick, WasmException
from lindref.vm.compiled.space import Space, space_of
from lindref.vm.compiled.unit import MAX_WEIGHT, UNITS, Unit, unit
from lindref.vm.continuation import Continuation
from lindref.vm.frame import Frame
from lindref.vm.limits import Exhaustion
from lindref.vm.machine import DEFAULT_DEPTH, GO_ON, Machine, Place
from lindref.vm.ops_exceptions import unwind
from lindref.vm.outcomes import Answered, Outcome, Stop, Thrown
from lindref.vm.store import Store
from lindref.vm.traps import Trap
from lindref.vm.values import ExnInst, FuncInst, HostFunc, Value

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

#: Levels of Python's stack for who answers a host call while compiled code runs.
ROOM: Final = 1000

#: Where nothing is compiled, every so-manieth tick is looked at.
WIDEST: Final = 16


class CompilingMachine(Machine):
    """A machine with two tiers. ``eager``: everything is compiled when first met."""

    __slots__ = ("_answer", "_asking", "_clock", "_gap", "_most", "_plain", "_rest", "eager")

    def __init__(self, store: Store, *, max_depth: int = DEFAULT_DEPTH, eager: bool = False) -> None:
        super().__init__(store, max_depth=max_depth)
        self.eager = eager
        self._plain = False
        self._gap = 1
        self._rest = 0
        self._clock: Clock | None = None
        self._most = 0  # ticks that compiled code was given, the present one included
        self._asking = False  # compiled code waits in a host call
        self._answer: tuple[Value, ...] | None = None

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
        gap, self._rest = self._rest or self._gap, 0
        self.fuel = gap if self._reserve is None else min(gap, self._reserve)
        self._granted += self.fuel
        if self._reserve is not None:
            self._reserve -= self.fuel

    def _settle(self) -> None:
        """Short runs are as warm as long ones: the next begins with what is left of this one's portion."""
        self._rest = 0 if self._plain else self.fuel
        super()._settle()

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
        self._most = most
        ready_made = clock.left - given
        if self._reserve is None and -STRETCH < 2 * ready_made < 0:
            self._most += ready_made
        else:
            clock.wind(given)
        for view in self.store.views:
            if view.space is not None:
                view.space.fuel(clock)
                view.space.machine = self
        frame.pc = self.pc
        failed: BaseException | None = None
        left: Left | None = None
        thrown: ExnInst | None = None
        values: Any = ()
        try:
            values = function(*args)
        except FAILURES as failure:
            failed = failure
        except WasmException as exception:
            thrown = exception.exn
        except Left as leaving:
            left = leaving
        used = self._count(clock)
        if left is not None:
            if self.frame is not None:
                self.load(self.frame)
            raise Stop(Answered()) if left.error is None else left.error
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

    def _count(self, clock: Clock) -> int:
        """Counts the ticks that compiled code has used since this was last done."""
        left = clock.left
        used = max(self._most - 1 - left, 0)
        self._most = left + 1
        self._granted += used
        if self._reserve is not None:
            self._reserve -= used
        return used

    # Host calls that are answered while compiled code runs.

    def ask(self, func: HostFunc, args: tuple[Value, ...]) -> Any:
        """See ``space.Asking``."""
        clock = self._clock
        if self.answers is None or clock is None:
            raise Bail
        self._count(clock)
        self._begin_asking(len(func.type.results))
        error: BaseException | None = None
        allowed: int | None = 0
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + ROOM)
        try:
            allowed = self.answers(func, args)
        except BaseException as wrong:  # noqa: BLE001 (it goes on when compiled code is left)
            error = wrong
        finally:
            sys.setrecursionlimit(limit)
        if allowed is None and error is None:
            self._asking, self.awaiting = False, None
            raise Bail
        values = self._answer
        if not allowed or not self.asking or values is None or self.attention:
            self._take()
            raise Left(error)
        self._asking = False
        if allowed != GO_ON:
            self._reserve = allowed - 1
            clock.cut(allowed - 1)
            self._most = clock.left + 1
        return values[0] if len(values) == 1 else values or None

    def _begin_asking(self, count: int) -> None:
        self._asking, self._answer, self.awaiting = True, None, count

    @property
    def asking(self) -> bool:
        """See ``Machine``."""
        return self._asking

    def _take(self) -> None:
        """If compiled code waits in a host call: makes the machine's frames of its own, which are not gone on with."""
        if not self._asking:
            return
        self._asking = False
        found: list[tuple[Unit, FrameType]] = []
        python: FrameType | None = sys._getframe()  # noqa: SLF001 (there is no other way)
        while python is not None and python.f_code is not CompilingMachine._enter.__code__:
            known = UNITS.get(python.f_code.co_filename)
            if known is not None:
                found.append((known, python))
            python = python.f_back
        assert self.frame is not None
        top = self.frame.parent
        for known, python in reversed(found):
            top = self._frame(known, python, top, known.after(python.f_lineno))
        assert top is not None
        self.frame = top
        self._granted -= self.fuel
        self.fuel = 0
        if self._answer is not None:
            top.stack += self._answer

    def resume(self, results: Sequence[Value]) -> None:
        """See ``Machine``."""
        if not self._asking:
            super().resume(results)
            return
        assert self.awaiting == len(results), f"{self.awaiting} values are wanted, not {len(results)}"
        self.awaiting = None
        self._answer = tuple(results)

    def freeze(self) -> Continuation:
        """See ``Machine``."""
        self._take()
        return super().freeze()

    def push_call(self, func: FuncInst | HostFunc, args: Sequence[Value], barrier: Value) -> None:
        """See ``Machine``."""
        self._take()
        super().push_call(func, args, barrier)

    def abandon(self, barrier: Value) -> None:
        """See ``Machine``."""
        self._take()
        super().abandon(barrier)

    def backtrace(self, limit: int | None = None) -> list[Place]:
        """See ``Machine``."""
        self._take()
        return super().backtrace(limit)

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
        last = len(found) - 1
        for n, (known, traceback) in enumerate(found):
            line = traceback.tb_lineno
            top = self._frame(known, traceback.tb_frame, top, known.before(line) if n == last else known.after(line))
        assert top is not None
        self.load(top)
        if isinstance(failure, Tick):
            self.fuel = 0  # the tick that there was no more of is counted; the machine stands where that was
            super().at_tick()

    def _frame(
        self, known: Unit, python: FrameType, parent: Frame | None, place: tuple[int, CodeType | None]
    ) -> Frame:
        """The wasm frame for a Python frame, which goes on at a place: entry of the code, and operands."""
        names = python.f_globals
        view = names["view"]
        body = view.instance.program.body(known.index)
        pc, operands = place
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
        self._take()
        return super().throw(exn)
