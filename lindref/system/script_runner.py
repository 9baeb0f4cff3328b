"""A runner whose program is a list of calls as plain data: the system cannot tell it from a wasm program.

A script is a tuple of steps; its state is the position, the results so far and the answer it waits for. A script can
be a grate too: ``Script.handlers[a]`` is played for a call routed to its function ``a``. Rule SCRIPT-1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.posix.call import Arg
from lindref.state.records import record, replace
from lindref.system.abi import SyscallRequest
from lindref.system.runner import Asks, AtDelivery, Becomes, Finished, HandlerReturned, Preempted, RunnerEvent, Trapped
from lindref.threei.numbers import UNUSED

if TYPE_CHECKING:
    from lindref.system.guests import CageGuest


@record("script.result-of")
class ResultOf:
    """Stands for the result of step ``step`` (plus ``plus``) as an argument."""

    step: int
    plus: int = 0


@record("script.pointer")
class Pointer:
    """Stands for the host address of ``offset`` in the memory of the script's own cage."""

    offset: int


@record("script.given")
class Given:
    """In a handler: stands for pair ``index`` (0..5) of the call it serves, the value with the cage beside it."""

    index: int


@record("script.return")
class ReturnStep:
    """The script (or the handler) is over, with this result."""

    value: int


@record("script.call")
class CallStep:
    """A call. ``caller`` and ``target`` 0 mean the script's cage; an argument is a number, ``ResultOf``, ``Pointer`` or
    ``Given``. ``cages`` are the ids beside the arguments, the script's own where there is none. A target ``Given`` is
    the cage beside that pair.

    ``child``: steps that a forked child runs instead of what follows, when this call is a fork and returns 0.
    """

    number: int
    args: tuple[Any, ...] = ()
    caller: int = 0
    target: Any = 0
    cages: tuple[int, ...] = ()
    child: tuple[Any, ...] | None = None


@record("script.store")
class StoreStep:
    """Store bytes at an offset of the cage's memory; traps where that is not writable."""

    offset: int
    data: bytes


@record("script.become")
class BecomeStep:
    """From here on the script is a program of its own, as one is after exec: it serves calls with ``handlers``
    (3I-GRATE-6), and acts no more for the cage it was forked from (CAP-1).
    """

    handlers: tuple[tuple[Any, ...], ...] = ()


@record("script.await")
class AwaitStep:
    """The script has nothing to do: each of its turns ends at once until ``ScriptRunner.give`` says what comes next."""


@record("script.state", version=2)
class ScriptState:
    """A script on its way. ``results`` are those of the calls so far, by position of the step; ``pairs`` belong to the
    call that a handler serves, values and cages in turn. ``beneath`` is what goes on when a signal's handler is done,
    which ``token`` says."""

    steps: tuple[Any, ...]
    handlers: tuple[tuple[Any, ...], ...] = ()
    position: int = 0
    results: tuple[int, ...] = ()
    pairs: tuple[int, ...] = ()
    waiting: bool = False
    beneath: ScriptState | None = None
    token: Any = None


@classes.define(eq=False)
class ScriptRunner:
    """Plays a script; implements ``Runner``. ``guest`` says in which cage."""

    state: ScriptState
    guest: CageGuest | None = None
    changed: bool = True
    ticks: int = 0
    wanted: bool = False

    def run(self, ticks: int) -> RunnerEvent:
        """Go on to the next call; one tick a step."""
        del ticks
        self.changed = True
        assert self.guest is not None, "a script runs in a cage"
        while self.state.position < len(self.state.steps) or self.state.beneath is not None:
            if self.wanted and self.state.handlers:
                return AtDelivery()
            if self.state.position == len(self.state.steps):
                return self._signal_handled()
            step = self.state.steps[self.state.position]
            self.ticks += 1
            if isinstance(step, AwaitStep):
                return Preempted()
            if isinstance(step, StoreStep):
                if not self.guest.memory.try_write(step.offset, step.data):
                    return Trapped("out of bounds memory access", (f"step {self.state.position}",))
                self._advance(0)
                continue
            if isinstance(step, ReturnStep):
                self.state = replace(self.state, position=len(self.state.steps))
                return Finished(step.value) if self.state.beneath is None else self._signal_handled()
            if isinstance(step, BecomeStep):
                self.state = replace(self.state, handlers=step.handlers, waiting=True)
                return Becomes(step.handlers)
            assert isinstance(step, CallStep)
            self.state = replace(self.state, waiting=True)
            return Asks(self._request(step))
        return Finished(self.state.results[-1] if self.state.results else 0)

    def _signal_handled(self) -> RunnerEvent:
        """The steps of a signal's handler are done."""
        done, beneath = self.state, self.state.beneath
        assert beneath is not None
        self.state = beneath
        return HandlerReturned(done.token)

    def _advance(self, result: int) -> None:
        state = self.state
        self.state = replace(state, position=state.position + 1, results=(*state.results, result), waiting=False)

    def _value(self, arg: object) -> int:
        if isinstance(arg, ResultOf):
            return self.state.results[arg.step] + arg.plus & (1 << 64) - 1
        if isinstance(arg, Pointer):
            assert self.guest is not None
            return self.guest.base + arg.offset
        if isinstance(arg, Given):
            return self.state.pairs[2 * arg.index]
        assert isinstance(arg, int)
        return arg & (1 << 64) - 1

    def _request(self, step: CallStep) -> SyscallRequest:
        assert self.guest is not None
        own = self.guest.cage
        values = [self._value(a) for a in step.args] + [UNUSED] * (6 - len(step.args))
        cages = [*step.cages, *[own] * (6 - len(step.cages))]
        for i, arg in enumerate(step.args):
            if isinstance(arg, Given):
                cages[i] = self.state.pairs[2 * arg.index + 1]
        args = tuple(map(Arg, values, cages))
        target = step.target
        if isinstance(target, Given):
            target = self.state.pairs[2 * target.index + 1]
        return SyscallRequest(step.number, 0, step.caller or own, target or own, args)

    @property
    def awaits(self) -> bool:
        """Whether it stands at an ``AwaitStep``."""
        at = self.state.position
        return self.state.steps[at : at + 1] == (AwaitStep(),)

    def give(self, steps: tuple[Any, ...]) -> None:
        """What a script that stands at an ``AwaitStep`` does before it waits again; ``ValueError`` if it does not."""
        done = self.state.steps[: self.state.position]
        if not self.awaits:
            raise ValueError(f"the script does not wait at step {self.state.position}")
        self.changed = True
        self.state = replace(self.state, steps=(*done, *steps, AwaitStep()))

    def resume(self, value: int) -> None:
        """The call's result; a fork's child goes on with its own steps."""
        self.changed = True
        if not self.state.waiting:
            return
        step = self.state.steps[self.state.position]
        signed = value - (1 << 32) if value & 0xFFFFFFFF == value and value >> 31 else value
        self._advance(int(signed))  # an error of 3i comes as a member of an enumeration, which is no part of a state
        if signed == 0 and isinstance(step, CallStep) and step.child is not None:
            self.state = replace(self.state, steps=self.state.steps[: self.state.position] + step.child)

    def attend(self, wanted: bool) -> None:
        """A script takes signals before each step if it has handlers, else only where a call is interrupted."""
        self.wanted = wanted

    def push_handler(self, handler: int, signo: int, token: object) -> bool:
        """Play handler ``handler`` of the script, from the third on: the first two stand for what C's numbers 0 and 1
        mean. Pair 0 is the signal's number."""
        assert self.guest is not None
        handlers = self.state.handlers
        if not 2 <= handler < len(handlers):
            return False
        self.changed = True
        pairs = (signo, self.guest.cage)
        self.state = ScriptState(handlers[handler], handlers, pairs=pairs, beneath=self.state, token=token)
        return True

    def serve(self, address: int, cage: int, args: tuple[Arg, ...], target: int) -> bool:
        """Play handler ``address`` of the script; false if there is none."""
        del cage, target
        if not 0 <= address < len(self.state.handlers):
            return False
        self.changed = True
        handlers = self.state.handlers
        pairs = [n for arg in args for n in (arg.value, arg.cage)]
        self.state = ScriptState(handlers[address], handlers, pairs=tuple(pairs))
        return True

    def fork(self, guest: CageGuest) -> ScriptRunner:
        """The same script at the same place, in another cage."""
        return ScriptRunner(self.state, guest)

    def spawn(self, stack: int) -> ScriptRunner:
        """The same script at the same place, as a thread."""
        del stack
        other = ScriptRunner(self.state, self.guest)
        other.resume(0)
        return other

    def freeze(self) -> ScriptState:
        """The script's state is a value already."""
        self.changed = False
        return self.state

    @classmethod
    def thaw(cls, guest: CageGuest, state: ScriptState) -> ScriptRunner:
        """A runner in ``state``."""
        runner = cls(state, guest)
        runner.changed = False
        return runner

    def where(self) -> tuple[str, ...]:
        """The step it is at."""
        return (f"step {self.state.position}",)
