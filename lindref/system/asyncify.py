"""What the real runtime does for a fork: it has an instrumented program unwind its own stack into memory, and rewinds
it twice. Here the same is done by hand, beside the fork of lindref, to be looked at; no run depends on it (DYN-6).

The program's instrumentation (Asyncify) has a state: 0 normal, 1 unwinding, 2 rewinding, and a buffer: two words, where
the next byte goes and where the buffer ends, then the frames. The real runtime puts it at the low end of the stack,
with the stack pointer as its end (3i.md 4.9; loader.md, fork).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref import classes
from lindref.shown import Shown
from lindref.system import abi
from lindref.system.abi import SyscallRequest
from lindref.system.forks import Slot
from lindref.system.guests import CageGuest
from lindref.system.hostcalls import answer
from lindref.system.runner import Asks
from lindref.system.wasm_runner import Guest, WasmRunner
from lindref.vm import outcomes
from lindref.vm.continuation import Continuation
from lindref.vm.frame import FrameState
from lindref.vm.machine import Machine
from lindref.vm.memory import Memory
from lindref.vm.values import FuncInst, Value

if TYPE_CHECKING:
    from lindref.system.session import System
    from lindref.system.system import System as Engine

CLONE = 56
PARENT, CHILD = 1, 2
#: What an instrumented module exports.
STARTS = ("asyncify_start_unwind", "asyncify_stop_unwind", "asyncify_start_rewind", "asyncify_stop_rewind")
#: Instructions after which a program that does not come to an end is given up.
PATIENCE = 5_000_000
_HEADER = 8


class NotInstrumentedError(ValueError):
    """The program cannot unwind itself; one line."""


@classes.frozen
class Spill:
    """What one function in progress did: how many instructions it ran, and the bytes it wrote or read back."""

    function: str
    instructions: int
    address: int
    data: bytes


@classes.frozen
class Rewind:
    """One of the two ways back: the cage, what clone gives there, the frames from the outermost inwards, whether the
    same functions are in progress at the same places then, and which values are not what they were: those are needed
    no more, or are the instrumentation's own. ``next_call`` is the call that the program goes on with, ``None`` where
    it makes none.
    """

    cage: int
    result: int
    frames: tuple[Spill, ...]
    functions_restored: bool
    changed: tuple[Slot, ...]
    next_call: SyscallRequest | None
    next_name: str


@classes.frozen
class Asyncified(Shown):
    """A fork done by unwinding and rewinding. ``low`` is where the buffer lies, ``end`` its end (the stack pointer);
    ``functions`` what was in progress, the innermost first.
    """

    low: int
    end: int
    functions: tuple[str, ...]
    unwind: tuple[Spill, ...]
    rewinds: tuple[Rewind, ...]

    @property
    def instructions(self) -> int:
        """All that was run."""
        every = [*self.unwind, *(frame for rewind in self.rewinds for frame in rewind.frames)]
        return sum(spill.instructions for spill in every)

    @property
    def written(self) -> int:
        """Bytes written to the buffer, its two words included."""
        return _HEADER + sum(len(spill.data) for spill in self.unwind)


def asyncified(system: System) -> Asyncified:
    """Do the next fork of cage 1 by unwinding and rewinding, on a copy: ``system`` stays where it is.

    Raises ``NotInstrumentedError`` for a program that exports no ``asyncify_*`` functions and for a dynamic one,
    ``ValueError`` for one that does not fork.
    """
    engine, runner = _at_clone(system)
    names = {name: runner.function(name) for name in STARTS}
    low = runner.global_value("__stack_low")
    if low is None or any(func is None for func in names.values()):
        raise NotInstrumentedError("the program is not instrumented: it does not export asyncify_start_unwind")
    return _Drive(engine, runner, {name: func for name, func in names.items() if func is not None}, low).fork()


def _at_clone(system: System) -> tuple[Engine, WasmRunner]:
    """A copy, and the main thread of its cage 1, in the call that is going to fork."""
    other = system.branch()
    if other.run_until(call="clone", cage=1) is None:
        raise ValueError("the program does not fork")
    other.back()
    thread = other.engine.main_thread(1)
    runner = None if thread is None else thread.runner
    if type(runner) is not WasmRunner:
        raise NotInstrumentedError("only static programs can be shown unwinding")
    said = runner.run(PATIENCE)
    if not (isinstance(said, Asks) and said.request.number == CLONE):
        raise NotInstrumentedError("the program does not come to its fork undisturbed")
    return other.engine, runner


class _Drive:
    """The runtime's part: it calls the four functions and steps through what they make the program do."""

    def __init__(self, system: Engine, runner: WasmRunner, functions: dict[str, FuncInst], low: int) -> None:
        self.system = system
        self.runner = runner
        self.functions = functions
        self.low = low
        self.end = runner.global_value("__stack_pointer") or 0
        self.before = runner.machine.freeze()
        self.names = tuple(_names(runner.machine))

    def fork(self) -> Asyncified:
        """Unwind once, rewind twice."""
        runner = self.runner
        memory = runner.guest.memory
        header = (self.low + _HEADER).to_bytes(4, "little") + self.end.to_bytes(4, "little")
        if not memory.try_write(self.low, header):
            raise NotInstrumentedError("the low end of the stack cannot be written")
        machine = runner.machine
        self._on_top(machine, "asyncify_start_unwind", [self.low])
        machine.resume([0])
        unwind = self._unwinding(machine, memory)
        self._alone(machine, "asyncify_stop_unwind", [])
        # The child: the same instances over a copy of the memory.
        copied = memory.fork()
        store = runner.store.spawn_thread(memories=[copied])
        parent = self._rewind(machine, runner.guest, 2)
        child = self._rewind(Machine(store), _Child(self.system, CHILD, copied), 0)
        return Asyncified(self.low, self.end, self.names, tuple(unwind), (parent, child))

    def _on_top(self, machine: Machine, name: str, args: list[Value]) -> None:
        machine.push_call(self.functions[name], args, name)
        outcome = machine.run()
        assert isinstance(outcome, outcomes.BarrierReturned), outcome

    def _alone(self, machine: Machine, name: str, args: list[Value]) -> None:
        machine.call(self.functions[name], args)
        outcome = machine.run()
        assert isinstance(outcome, outcomes.Returned), outcome

    def _next(self, memory: Memory) -> int:
        """Where the next byte of the buffer goes."""
        word = memory.try_read(self.low, 4)
        assert word is not None
        return int.from_bytes(word, "little")

    def _unwinding(self, machine: Machine, memory: Memory) -> list[Spill]:
        """Go on until nothing is in progress; what each function did before it returned."""
        out = []
        names = list(self.names)
        count, at = 0, self._next(memory)
        for _ in range(PATIENCE):
            frame = machine.frame
            outcome = machine.run(steps=1)
            count += 1
            if machine.frame is not frame or isinstance(outcome, outcomes.Returned):
                if names:  # what it called came back: a function of the program has returned
                    after = self._next(memory)
                    out.append(Spill(names.pop(0), count, at, memory.try_read(at, after - at) or b""))
                    count, at = 0, after
            if isinstance(outcome, outcomes.Returned):
                return out
            if not isinstance(outcome, outcomes.Stepped):
                raise NotInstrumentedError(f"unwinding ended with {type(outcome).__name__}")
        raise NotInstrumentedError("unwinding does not come to its end")

    def _rewind(self, machine: Machine, guest: Guest, result: int) -> Rewind:
        """Begin the program anew, until it is back in the call, and answer that."""
        memory = guest.memory
        self._alone(machine, "asyncify_start_rewind", [self.low])
        start = self.runner.function("_start")
        assert start is not None
        machine.call(start, [])
        out: list[Spill] = []
        count, at = 0, self._next(memory)
        depth, inside = 0, False
        names = list(reversed(self.names))
        for _ in range(PATIENCE):
            outcome = machine.run(steps=1)
            count += 1
            now = 0 if machine.frame is None else machine.frame.depth
            if now > depth or isinstance(outcome, outcomes.HostCall):  # a function has called on
                after = self._next(memory)
                if inside and names:
                    out.append(Spill(names.pop(0), count, after, memory.try_read(after, at - after) or b""))
                    count = 0
                inside, at = True, after
            depth = now
            if isinstance(outcome, outcomes.HostCall):
                return self._arrived(machine, outcome, guest, result, out)
            if not isinstance(outcome, outcomes.Stepped):
                raise NotInstrumentedError(f"rewinding ended with {type(outcome).__name__}")
        raise NotInstrumentedError("rewinding does not come to its end")

    def _arrived(
        self, machine: Machine, outcome: outcomes.HostCall, guest: Guest, result: int, frames: list[Spill]
    ) -> Rewind:
        if outcome.func.name != abi.MAKE_SYSCALL:
            raise NotInstrumentedError(f"rewinding came to {outcome.func}, not to the call that forks")
        self._on_top(machine, "asyncify_stop_rewind", [])
        there = machine.freeze()
        machine.resume([result])
        following = _next_call(machine, guest)
        return Rewind(
            guest.cage,
            result,
            tuple(frames),
            _functions(self.before) == _functions(there),
            tuple(_changed(self.before, there, self.names)),
            following,
            "" if following is None else self.system.call_name(following.number),
        )


@classes.frozen(eq=False)
class _Child(CageGuest):
    """The child as its host functions see it; there is no such cage in the system."""

    copied: Memory

    @property
    def memory(self) -> Memory:
        """The copy of the parent's."""
        return self.copied

    @property
    def argv(self) -> tuple[bytes, ...]:
        """Those of the parent."""
        return self.system.runtimes[PARENT].argv

    @property
    def env(self) -> tuple[bytes, ...]:
        """That of the parent."""
        return self.system.runtimes[PARENT].env


def _next_call(machine: Machine, guest: Guest) -> SyscallRequest | None:
    """Go on to the next call that leaves the cage."""
    while True:
        outcome = machine.run(PATIENCE)
        if not isinstance(outcome, outcomes.HostCall):
            return None
        if outcome.func.name == abi.MAKE_SYSCALL:
            return abi.decode_syscall(outcome.args)
        reply = answer(guest, outcome.func, outcome.args)
        if isinstance(reply, str):
            return None
        machine.resume(reply)


def _names(machine: Machine) -> list[str]:
    return [place.name or f"func {place.func}" for place in machine.backtrace() if place.func >= 0]


def _frames(continuation: Continuation) -> list[FrameState]:
    out = []
    frame = continuation.top
    while frame is not None:
        if frame.func is not None:
            out.append(frame)
        frame = frame.parent
    return out


def _functions(continuation: Continuation) -> list[tuple[FuncInst | None, int]]:
    return [(frame.func, frame.pc) for frame in _frames(continuation)]


def _changed(before: Continuation, after: Continuation, names: tuple[str, ...]) -> list[Slot]:
    """Locals and operands that are not what they were."""
    out = []
    for name, old, new in zip(names, _frames(before), _frames(after), strict=False):
        for kind, left, right in (("local", old.locals, new.locals), ("operand", old.stack, new.stack)):
            pairs = zip(left, right, strict=False)
            out += [Slot(f"{name} {kind} {i}", one, two) for i, (one, two) in enumerate(pairs) if one != two]
    return out
