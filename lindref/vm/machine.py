"""The reference machine: one thread of execution, whose every step can be looked at.

Its state is a chain of frames and nothing else (MACH-6). While it runs, the frame on top lives in *registers*
(attributes of the machine), so that handlers reach everything in one step; ``load`` fills them from a frame, and
whoever leaves a frame stores its ``pc`` there (locals and operands are the frame's own lists).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, repeat
from typing import Any, Final

from lindref import classes
from lindref.vm.continuation import Continuation, thaw_frames
from lindref.vm.frame import Frame
from lindref.vm.handler import Code
from lindref.vm.host_frame import HOST
from lindref.vm.limits import Exhaustion
from lindref.vm.ops_exceptions import unwind
from lindref.vm.outcomes import Attention, Outcome, OutOfResources, Paused, Stepped, Stop, Thrown, Trapped
from lindref.vm.store import Cell, Store, View
from lindref.vm.traps import Trap
from lindref.vm.values import ExnInst, FuncInst, HostFunc, Value
from lindref.wasm.errors import WasmError

#: Frames that a thread may have; a big frame counts as several (``limits.SLOTS``).
DEFAULT_DEPTH = 200_000

#: Who runs a machine may see to a host call while the machine runs: it brings the results (``resume``) and says how
#: many ticks the machine may run on for from there, ``GO_ON`` for as many as were left. ``None``: the run is to end
#: with ``HostCall``, as without. 0: the run is to end; the call has been seen to, whether results were brought or not.
Answers = Callable[[HostFunc, tuple[Value, ...]], int | None]

GO_ON: Final = -1

#: Ticks are counted down in portions that Python handles as small numbers.
_PORTION = 1 << 29


@classes.frozen
class Place:
    """One line of a backtrace: instruction ``instr`` of function ``func``; -1 for a call by the host."""

    instance: int
    func: int
    name: str
    instr: int
    offset: int
    """``Instr.offset``: in the file, or the source line for text."""


class Machine:
    """A thread of execution in a store.

    ``call`` begins; ``run`` goes on until there is an outcome; after those that ask for values, ``resume`` brings
    them (or ``throw`` an exception). ``attention`` may be set at any time: the next delivery point stops the run.
    """

    __slots__ = (
        "_granted",
        "_reserve",
        "_trapped",
        "answers",
        "attention",
        "awaiting",
        "cells",
        "code",
        "counter",
        "frame",
        "fuel",
        "locals",
        "max_depth",
        "memory",
        "pc",
        "rp",
        "since",
        "stack",
        "store",
        "view",
        "wp",
    )

    def __init__(self, store: Store, *, max_depth: int = DEFAULT_DEPTH) -> None:
        self.store = store
        self.max_depth = max_depth
        self.frame: Frame | None = None
        """The frame on top; ``None``: nothing is being called."""
        self.awaiting: int | None = None
        """How many values ``resume`` must bring; ``None``: the last outcome asked for none."""
        self.attention = False
        """Stop at the next delivery point."""
        self.answers: Answers | None = None
        """Asked where leaving the run for a host call costs something: by compiled code."""
        # The registers: code, next entry, locals and operands of the frame on top; what its instance sees.
        self.code: Code = []
        self.pc = 0
        self.locals: list[Any] = []
        self.stack: list[Any] = []
        self.view: View | None = None
        self.cells: list[Cell] = []
        self.memory: Any = None  # the first memory of the instance; validation sees to it that there is one
        self.rp: Any = None
        self.wp: Any = None
        # Ticks: ``fuel`` is what is left of the present portion, ``_reserve`` what follows (``None``: no end).
        self.fuel = 0
        self._reserve: int | None = 0
        self._granted = 0
        self._trapped = False
        self.since = 0
        """Entries of code taken since the last tick, or since it was set to 0; of a machine that counts them."""
        self.counter: repeat[None] = repeat(None)
        """Yields once for each entry of code that the present run takes; bounded where steps were."""

    # Beginning.

    def call(self, func: FuncInst | HostFunc, args: Sequence[Value]) -> None:
        """Begins a call on a machine that has nothing to do; the function must take these arguments."""
        assert self.frame is None, "the machine is in the middle of a call"
        self._push(func, args, None)

    def push_call(self, func: FuncInst | HostFunc, args: Sequence[Value], barrier: Value) -> None:
        """Puts a call on top of what the machine is doing, e.g. a signal handler.

        ``barrier`` is plain data that comes back in ``BarrierReturned`` or ``Thrown``. What the machine was
        waiting for, it is waiting for again then.
        """
        assert self.frame is not None, "nothing to put a call on top of"
        self._push(func, args, barrier)

    def _push(self, func: FuncInst | HostFunc, args: Sequence[Value], barrier: Value) -> None:
        depth = 0 if self.frame is None else self.frame.depth + 1
        frame = Frame(None, HOST, [barrier, self.awaiting, func], self.frame, depth)
        frame.stack += args
        self.frame = frame
        self.awaiting = None
        self._trapped = False

    # Going on.

    def run(self, ticks: int | None = None, steps: int | None = None) -> Outcome:
        """Runs until there is an outcome: at most ``ticks`` ticks (then ``Paused``) and ``steps`` entries of code
        (then ``Stepped``), both at least 1.
        """
        frame = self.frame
        assert frame is not None, "nothing to run"
        assert self.awaiting is None, "the machine waits for values: resume it"
        self.load(frame)
        self._grant(ticks)
        outcome: Outcome
        self.counter = counter = repeat(None) if steps is None else repeat(None, steps)
        try:
            for _ in counter:
                handler, imm = self.code[self.pc]
                self.pc += 1
                handler(self, imm)
            outcome = Stepped()
        except Stop as stop:
            outcome = stop.outcome
        except Trap as trap:
            outcome = self._trap(trap.message)
        except Exhaustion as limit:
            outcome = OutOfResources(limit.message)
        except WasmError as error:  # of a body that was validated only now
            outcome = self._trap(str(error))
        self._settle()
        return outcome

    def _grant(self, ticks: int | None) -> None:
        """Makes that many ticks available (``None``: no end)."""
        self._reserve = ticks
        self.fuel = 0
        self._portion()

    def _portion(self) -> None:
        """The next portion of the ticks that are still to come."""
        self.fuel = _PORTION if self._reserve is None else min(self._reserve, _PORTION)
        self._granted += self.fuel
        if self._reserve is not None:
            self._reserve -= self.fuel

    def _settle(self) -> None:
        """After running: takes back the ticks not used, and stores the place."""
        self._granted -= self.fuel
        self.fuel = 0
        if self.frame is not None:
            self.frame.pc = self.pc

    def resume(self, results: Sequence[Value]) -> None:
        """Brings the values that the last outcome asked for; ``run`` then goes on with them."""
        assert self.frame is not None
        assert self.awaiting == len(results), f"{self.awaiting} values are wanted, not {len(results)}"
        self.awaiting = None
        self.frame.state = None
        self.frame.stack += results

    def throw(self, exn: ExnInst) -> Thrown | None:
        """Throws where the machine stands, e.g. instead of ``resume``. ``None``: it is caught, and ``run`` goes on."""
        assert self.frame is not None
        self.awaiting = None
        self.load(self.frame)
        self._grant(None)
        attention, self.attention = self.attention, False  # nothing stops a run that has not begun
        try:
            unwind(self, exn)
        except Stop as stop:
            return stop.outcome if isinstance(stop.outcome, Thrown) else None
        finally:
            self.attention = attention
            self._settle()
        return None

    @property
    def asking(self) -> bool:
        """Whether the machine runs and waits in a host call (see ``answers``), and nobody has looked at what it is in
        the middle of, or changed that."""
        return False

    @property
    def ticks(self) -> int:
        """Ticks that have passed in all runs so far."""
        return self._granted - self.fuel

    # As a value.

    def freeze(self) -> Continuation:
        """What the machine is in the middle of (between runs); costs the frames that ran since the last time."""
        top = None if self.frame is None else self.frame.freeze()
        return Continuation(top, self.awaiting, self._trapped)

    @classmethod
    def thaw(cls, store: Store, continuation: Continuation, *, max_depth: int = DEFAULT_DEPTH) -> Machine:
        """A machine that goes on from a continuation, in a store that has the same instances."""
        machine = cls(store, max_depth=max_depth)
        machine.restore(continuation)
        return machine

    def restore(self, continuation: Continuation) -> None:
        """Goes on from a continuation, in a store that has the same instances."""
        self.frame = thaw_frames(self.store, continuation.top)
        self.awaiting = continuation.awaiting
        self._trapped = continuation.trapped

    # What handlers use.

    def load(self, frame: Frame) -> None:
        """Makes a frame the one on top, with its registers."""
        self.frame = frame
        frame.state = None
        assert frame.body.code is not None
        self.code = frame.body.code
        self.pc = frame.pc
        self.locals = frame.locals
        self.stack = frame.stack
        self.switch(frame.view)

    def switch(self, view: View | None) -> None:
        """Loads the registers that belong to an instance (``None``: the host's frame, which needs none)."""
        self.view = view
        if view is not None:
            self.cells = view.cells
            self.memory = view.memory
            self.rp = view.rp
            self.wp = view.wp

    def cut(self, frame: Frame | None, awaiting: int | None) -> None:
        """Drops all frames above ``frame``, which is as it was when a call was pushed on it."""
        self.frame = frame
        self.awaiting = awaiting
        if frame is not None:
            self.pc = frame.pc

    def abandon(self, barrier: Value) -> None:
        """Drops the call that was pushed with ``barrier``, and everything above it: it never returns. What the
        machine was waiting for when it was pushed, it waits for again."""
        frame = self.frame
        while frame is not None and not (frame.view is None and frame.locals[0] == barrier):
            frame = frame.parent
        assert frame is not None, "no such call"
        self._trapped = False
        self.cut(frame.parent, frame.locals[1])

    def at_tick(self) -> None:
        """At a function's entry or a loop's head, when attention is wanted or the portion of ticks is used up."""
        if self.attention:
            raise Stop(Attention())
        if self._reserve == 0:
            raise Stop(Paused())
        self._portion()

    # Looking.

    def _trap(self, message: str) -> Trapped:
        """The outcome of a trap in the instruction that ran last."""
        self._trapped = True
        assert self.frame is not None
        self.frame.pc = self.pc
        place = self.backtrace(1)[0]
        return Trapped(message, place.instance, place.func, place.name, place.offset)

    def backtrace(self, limit: int | None = None) -> list[Place]:
        """Where every frame stands, the one on top first, not more than ``limit``."""
        standing = islice(self.standing(), limit)
        return [_place(frame, pc) for frame, pc in standing]

    def standing(self) -> Iterator[tuple[Frame, int]]:
        """The frames, the one on top first, each with the entry of its code where it stands: what runs next, or the
        instruction that it is in the middle of."""
        frame = self.frame
        inside = self._trapped or self.awaiting is not None  # of the instruction before ``pc``
        while frame is not None:
            yield frame, frame.pc - 1 if inside else frame.pc
            inside = frame.view is not None or frame.locals[1] is not None
            frame = frame.parent


def _place(frame: Frame, pc: int) -> Place:
    """Where a frame stands, ``pc`` being the entry of its code that is meant."""
    if frame.view is None:
        return Place(-1, -1, "", -1, -1)
    body = frame.body
    program = frame.view.instance.program
    instr = body.origins[max(pc, 0)]
    offset = program.module.codes[body.code_index].body[instr].offset
    return Place(frame.view.instance.number, body.index, program.func_name(body.index), instr, offset)
