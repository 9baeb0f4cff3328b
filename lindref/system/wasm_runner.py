"""A runner whose program is a wasm module: a continuation of the machine in a store of its own.

What a thread has to run is a *plan*: calls of exports, one after the other (start function, ``_initialize``,
the entry); preparations of a new thread are calls on top of the continuation it inherits.
Rules LOAD-2, THREAD-5, 3I-GRATE-5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lindref.posix.call import Arg
from lindref.profile import Profile
from lindref.state.records import record, replace
from lindref.system import abi
from lindref.system.hostcalls import answer
from lindref.system.image import SLOT_GUARD, SLOT_STACK
from lindref.system.runner import (
    Asks,
    AtDelivery,
    AtOnce,
    CannotLoad,
    Finished,
    HandlerReturned,
    HostEnds,
    Preempted,
    RunnerEvent,
    Stepped,
    Trapped,
    TurnOver,
    WaitsOnMemory,
    WakesMemory,
)
from lindref.system.wrappers import wrapped
from lindref.vm import engines, outcomes
from lindref.vm.continuation import Continuation
from lindref.vm.engines import Engine
from lindref.vm.limits import Exhaustion
from lindref.vm.machine import GO_ON, Machine
from lindref.vm.memory import Memory
from lindref.vm.program import Program
from lindref.vm.store import Cell, Store, StoreState, View
from lindref.vm.values import Extern, FuncInst, GlobalAddr, HostFunc, Value

#: Steps of a plan that are not calls of an export.
START = "(start)"

#: Bytes of the two words that an unwound stack has at its low end (loader.md 6.1).
UNWIND_HEADER = 8


class Guest(Protocol):
    """What the immediate host functions need to know of the cage they are called in."""

    @property
    def cage(self) -> int:
        """The cage's id."""

    @property
    def base(self) -> int:
        """The address of its memory's byte 0."""

    @property
    def memory(self) -> Memory:
        """Its memory."""

    @property
    def argv(self) -> tuple[bytes, ...]:
        """The arguments of its image."""

    @property
    def env(self) -> tuple[bytes, ...]:
        """The environment of its image."""

    @property
    def profile(self) -> Profile:
        """The profile in force."""

    @property
    def max_depth(self) -> int:
        """Frames of guest calls that a thread may have."""

    @property
    def engine(self) -> Engine:
        """Which machine runs it (``vm.engines``)."""

    def random_bytes(self, count: int) -> bytes:
        """Seeded random bytes."""

    def note(self, text: str) -> None:
        """Tell the person running this."""


@record("system.step")
class Step:
    """A call to make: an export (or ``START``) with its arguments; ``last``: its result ends the program.

    ``optional``: skipped where there is no such export.
    """

    name: str
    args: tuple[int, ...] = ()
    last: bool = False
    optional: bool = False


@record("system.tls", version=2)
class TlsBarrier:
    """What the frames that prepare a new thread remember: the high end of what is left of its stack, and how far below
    that the stack pointer is to stand in the end; the instances that need a block of thread-local storage still, the
    present one first, and ``block``, the address of its block once known."""

    stack: int
    below: int
    instances: tuple[int, ...]
    block: int | None = None


@record("system.wasm-runner", version=2)
class WasmRunnerState:
    """A wasm runner as a value; memories are the cage's, frozen with it."""

    store: StoreState
    continuation: Continuation
    view: int
    plan: tuple[Step, ...]
    current: Step | None
    stack_top: int
    stack_low: int | None


#: The plan of a program: what its start needs, then ``_start`` (LOAD-2).
PROGRAM = (Step(START, optional=True), Step("_initialize", optional=True), Step("_start", last=True))


_BASE = "lind-get-memory-base"
_AT_ONCE = frozenset({_BASE, "lind-get-cage-id"})

_BEGINNING = frozenset(step.name for step in PROGRAM)

_U64 = (1 << 64) - 1

#: What a worker that serves a call is doing.
_SERVES = Step(abi.GRATE_ENTRY, last=True)


class WasmRunner:
    """See the module; implements ``lindref.system.runner.Runner``."""

    def __init__(
        self,
        guest: Guest,
        store: Store,
        view: View | None,
        plan: tuple[Step, ...],
        machine: Machine | None = None,
    ) -> None:
        """A runner with ``plan`` to carry out; ``machine`` continues one that runs already. ``view`` is the main
        program's, ``None`` as long as it is not there."""
        self.guest = guest
        self.store = store
        self.view = view
        self.plan = plan
        self.current: Step | None = None
        self.machine = machine or engines.machine(guest.engine, store, max_depth=guest.max_depth)
        self.changed = True
        #: While it runs: who begins its calls at once, if anybody does, and the ticks at which its turn is over.
        self.at_once: AtOnce | None = None
        self.limit = 0
        #: High end of this thread's stack: what ``__stack_pointer`` starts with (3i.md 4.8a).
        self.stack_top = self.global_value("__stack_pointer") or 0
        #: Its low end, where it is known.
        self.stack_low = self.global_value("__stack_low")
        #: As a worker: what calls enter by, and the stack pointer that is set before each; found once.
        self._way_in: tuple[FuncInst | None, Cell | None] | None = None

    # The instance's exports.

    def export(self, name: str, instance: int | None = None) -> Extern | None:
        """What the main program exports under a name (or instance ``instance``); ``START``: its start function."""
        view = self.view if instance is None else self.store.views[instance]
        if view is None:
            return None
        return view.instance.start if name == START else view.instance.export(name)

    def function(self, name: str, instance: int | None = None) -> FuncInst | None:
        """An exported function that a module defines; one of the names that the runtime calls must have its type."""
        found = self.export(name, instance)
        if not isinstance(found, FuncInst):
            return None
        wanted = abi.CALLED.get(name)
        if wanted is None:
            return found
        functype = self.store.func_type(found)
        fits = functype.params == wanted.params and (not wanted.results or functype.results == wanted.results)
        return found if fits else None

    def inner(self, name: str, instance: int | None = None) -> FuncInst | None:
        """The function to call for the export of that name once the program has begun: what its command wrapper
        wraps, so that constructors do not run again (LOAD-3; deviation ``CTORS-AGAIN``: the wrapper)."""
        found = self.function(name, instance)
        if found is None or self.guest.profile.has("CTORS-AGAIN"):
            return found
        program = self.store.views[found.instance].instance.program
        index = wrapped(program, found.index)
        return found if index == found.index else FuncInst(found.instance, index)

    def global_value(self, name: str) -> int | None:
        """The value of an exported i32 global."""
        found = self.export(name)
        value = self.store.globals[found.number].value if isinstance(found, GlobalAddr) else None
        return value if isinstance(value, int) else None

    def set_global(self, name: str, value: int) -> None:
        """Set an exported global, where there is one."""
        found = self.export(name)
        if isinstance(found, GlobalAddr):
            self.store.globals[found.number].value = value & 0xFFFFFFFF

    # Running.

    @property
    def ticks(self) -> int:
        """Ticks used so far."""
        return self.machine.ticks

    def run(self, ticks: int, steps: int | None = None, at_once: AtOnce | None = None) -> RunnerEvent:
        """Go on until something is to be said; with ``steps`` (at least 1), ``Stepped`` after so many entries of code,
        which takes a machine that counts them (``vm.stepping``). With ``at_once``, compiled code need not be left for
        a call."""
        self.changed = True
        self.limit = self.machine.ticks + ticks
        if steps is None:
            self.machine.since = 0  # a turn begins, or goes on from a tick
        self.at_once, self.machine.answers = at_once, self.answers
        try:
            return self._run(steps)
        finally:
            self.at_once = self.machine.answers = None

    def _run(self, steps: int | None) -> RunnerEvent:
        """To the next event; ``limit`` moves where a turn ends on the way."""
        counting: Any = self.machine
        while True:
            if steps is not None and steps < 1:
                return Stepped()
            said = self.prepare()
            if said is not None:
                return said
            if self.machine.frame is None and not self._next_step():
                step = self.current
                odd = step is not None and self.export(step.name) is not None
                return CannotLoad(f"the program's {step.name} is of another type") if odd and step else Finished(0)
            left = self.limit - self.machine.ticks
            if left < 1:
                return Preempted()
            outcome = self.machine.run(left, steps)
            if steps is not None:
                steps -= counting.taken
            event = self._event(outcome)
            if event is not None:
                return event

    def prepare(self) -> RunnerEvent | None:
        """What is to be done before the machine goes on; an event where that is something to say."""
        return None

    def _next_step(self) -> bool:
        """Begin the next call of the plan; false if there is none."""
        while self.plan:
            step, self.plan = self.plan[0], self.plan[1:]
            func = self.function(step.name) if step.name in _BEGINNING else self.inner(step.name)
            if func is None and step.optional:
                continue
            if func is None:
                self.plan = ()
                self.current = step
                return False
            self.current = step
            self.machine.call(func, step.args)
            return True
        return False

    def _event(self, outcome: outcomes.Outcome) -> RunnerEvent | None:
        """What an outcome of the machine means; ``None``: nothing to say, go on."""
        match outcome:
            case outcomes.HostCall(func, args):
                return self.host_call(func, args)
            case outcomes.Answered():
                return TurnOver()
            case outcomes.Returned(values):
                last = self.current is not None and self.current.last
                self.current = None
                return Finished(values[0] if values else 0) if last else None
            case outcomes.BarrierReturned(TlsBarrier() as barrier, values):
                self._prepared(barrier, values)
                return None
            case outcomes.BarrierReturned(barrier, _):
                return HandlerReturned(barrier)
            case outcomes.Thrown(exn, barrier):
                if barrier is None:
                    return Trapped("uncaught exception")
                again = self.machine.throw(exn)  # a longjmp out of a signal handler
                return None if again is None else self._event(again)
            case outcomes.Trapped():
                return Trapped(outcome.message, self.where())
            case outcomes.AtomicWait(_, address, _, _, timeout):
                return WaitsOnMemory(address, timeout)
            case outcomes.AtomicNotify(_, address, count):
                return WakesMemory(address, count)
            case outcomes.Attention():
                return AtDelivery()
            case outcomes.OutOfResources(message):
                raise Exhaustion(message)  # the run is over, whoever ran
            case outcomes.Paused():
                return Preempted()
            case outcomes.Stepped():
                return None

    def answers(self, func: HostFunc, args: Sequence[Value]) -> int | None:
        """A host function was called by compiled code (``Machine.answers``)."""
        if func.module != abi.LIND:
            return None
        if func.name == abi.MAKE_SYSCALL:
            if self.at_once is None:
                return None
            machine = self.machine
            allowed = self.at_once(abi.decode_syscall(args))
            self.changed = True
            self.limit = machine.ticks + allowed
            machine.since = 0
            return allowed
        if func.name in _AT_ONCE:
            self.machine.resume([self.guest.base if func.name == _BASE else self.guest.cage])
            return GO_ON
        return None

    def may_go_on(self) -> bool:
        """Whether the machine, which runs, could go on from a call that began at once as if it had not been left."""
        return self.machine.asking and not self.machine.attention

    def host_call(self, func: HostFunc, args: Sequence[Value]) -> RunnerEvent | None:
        """A host function was called: it is answered at once, or the call leaves the cage."""
        if func.module == abi.LIND and func.name == abi.MAKE_SYSCALL:
            return Asks(abi.decode_syscall(args))
        if func.module == abi.LIND and func.name in abi.LINKING and self.guest.profile.has("DL-STATIC"):
            return HostEnds(f"{func.name}: dynamic linking is not enabled", "DL-STATIC")
        reply = answer(self.guest, func, args)
        if isinstance(reply, str):
            if func.name == abi.DEBUG_PANIC and self.guest.profile.has("DEBUG-PANIC"):
                return HostEnds(reply, "DEBUG-PANIC")
            return Trapped(reply, self.where())
        self.machine.resume(reply)
        return None

    def resume(self, value: int) -> None:
        """Answer the call (or atomic operation) that the machine waits in."""
        self.changed = True
        if self.machine.awaiting is not None:
            self.machine.resume([value & 0xFFFFFFFF])

    def attend(self, wanted: bool) -> None:
        """Stop at the next delivery point."""
        self.machine.attention = wanted

    def push_handler(self, handler: int, signo: int, token: object) -> bool:
        """Call ``signal_callback(handler, signo)`` on top of what runs."""
        func = self.inner("signal_callback")
        if func is None:
            return False
        self.changed = True
        self.machine.push_call(func, [handler, signo], token)
        return True

    def where(self) -> tuple[str, ...]:
        """The functions in progress, innermost first, with lines of source where they are known."""
        from lindref.system.backtrace import backtrace  # a run that goes well needs none

        return backtrace(self.machine)

    # Grate calls.

    def serve(self, address: int, cage: int, args: tuple[Arg, ...], target: int) -> bool:
        """Plan ``pass_fptr_to_wt(address, cage, pairs…)`` on this worker; false where it is not exported."""
        del target
        if self._way_in is None:
            pointer = self.export("__stack_pointer")
            cell = self.store.globals[pointer.number] if isinstance(pointer, GlobalAddr) else None
            self._way_in = (self.inner(abi.GRATE_ENTRY), cell)
        func, cell = self._way_in
        if func is None:
            return False
        self.changed = True
        if self.machine.frame is not None:  # a call before this one trapped
            self.machine = engines.machine(self.guest.engine, self.store, max_depth=self.guest.max_depth)
        words = [address & _U64, cage]
        for arg in args:
            words += (arg.value & _U64, arg.cage & _U64)
        if self.plan:  # a new worker: its start comes first
            self.plan = (*self.plan, Step(abi.GRATE_ENTRY, tuple(words), last=True))
            return True
        if cell is not None:
            cell.value = self.stack_top
        self.current = _SERVES
        self.machine.call(func, words)
        return True

    # Copies.

    def fork(self, guest: Guest) -> WasmRunner:
        """The same continuation for a forked cage, whose memory ``guest`` has already (FORK-3)."""
        frozen = self.machine.freeze()
        store = self.store.spawn_thread(memories=[guest.memory])
        return self._copy(guest, store, frozen)

    def unwind(self) -> None:
        """As recorded, what takes down this stack or copies it keeps its books at the stack's low end: where they go
        on, and the stack pointer (UNWIND-WORDS). What the instrumented code writes behind them is its own affair."""
        if self.stack_low is not None and self.guest.profile.has("UNWIND-WORDS"):
            pointer = self.global_value("__stack_pointer") or 0
            words = (self.stack_low + UNWIND_HEADER, pointer)
            self.guest.memory.try_write(self.stack_low, b"".join(word.to_bytes(4, "little") for word in words))

    def spawn(self, stack: int) -> WasmRunner:
        """The same continuation for a new thread with its own globals and tables, on its own stack (THREAD-5).

        Before it goes on, ``__get_aligned_tls_size`` and ``__wasm_init_tls`` run in it where they are exported.
        """
        frozen = self.machine.freeze()
        other = self._copy(self.guest, self.store.spawn_thread(), frozen)
        below = self.stack_top - (self.global_value("__stack_pointer") or 0)
        other.machine.resume([0])
        other.next_block(TlsBarrier(stack, below, other.tls_instances()))
        return other

    def tls_instances(self) -> tuple[int, ...]:
        """The instances that have thread-local storage, in the order in which a new thread's blocks are made."""
        exported = all(self.function(name) is not None for name in ("__get_aligned_tls_size", "__wasm_init_tls"))
        return (self.view.instance.number,) if exported and self.view is not None else ()

    def next_block(self, barrier: TlsBarrier) -> None:
        """Prepare the next block of a new thread, or begin it."""
        self.set_global("__stack_pointer", barrier.stack)
        if barrier.instances:
            size = self.inner("__get_aligned_tls_size", barrier.instances[0])
            assert size is not None
            self.machine.push_call(size, [], barrier)
        else:
            self.stack_top = barrier.stack
            self.set_global("__stack_pointer", barrier.stack - barrier.below)

    def _prepared(self, barrier: TlsBarrier, values: tuple[Value, ...]) -> None:
        """One of the preparations of a new thread has returned: the size of a block, or its first contents."""
        if barrier.block is None:
            block = barrier.stack - values[0]
            self.set_global("__stack_pointer", block)
            init = self.inner("__wasm_init_tls", barrier.instances[0])
            assert init is not None
            self.machine.push_call(init, [block & 0xFFFFFFFF], replace(barrier, block=block))
        else:
            self.next_block(TlsBarrier(barrier.block, barrier.below, barrier.instances[1:]))

    def _copy(self, guest: Guest, store: Store, frozen: Continuation) -> WasmRunner:
        machine = engines.thaw(guest.engine, store, frozen, max_depth=guest.max_depth)
        view = None if self.view is None else store.views[self.view.instance.number]
        other = WasmRunner(guest, store, view, self.plan, machine)
        other.current = self.current
        other.stack_top = self.stack_top
        other.stack_low = self.stack_low
        return other

    # States.

    def freeze(self) -> WasmRunnerState:
        """The runner as a value."""
        self.changed = False
        return WasmRunnerState(
            self.store.freeze(memories=False),
            self.machine.freeze(),
            -1 if self.view is None else self.view.instance.number,
            self.plan,
            self.current,
            self.stack_top,
            self.stack_low,
        )

    @classmethod
    def thaw(cls, guest: Guest, state: WasmRunnerState, programs: Mapping[str, Program]) -> WasmRunner:
        """A live runner in ``state``; programs by digest."""
        store = Store.thaw(state.store, programs, [guest.memory])
        machine = engines.thaw(guest.engine, store, state.continuation, max_depth=guest.max_depth)
        runner = cls(guest, store, store.views[state.view], state.plan, machine)
        runner.current = state.current
        runner.stack_top = state.stack_top
        runner.stack_low = state.stack_low
        runner.changed = False
        return runner


def worker_plan(runner: WasmRunner, arena: int, slot: int, *, shared_tls: bool) -> None:
    """Prepare a new worker: its stack slot, and its TLS block at the slot's low end (3I-GRATE-5).

    With ``shared_tls`` (deviation ``GRATE-WORKER-TLS``) no block is made and its TLS base stays 0.
    """
    base = arena + (slot - 1) * (SLOT_GUARD + SLOT_STACK) + SLOT_GUARD
    runner.stack_top = base + SLOT_STACK
    runner.stack_low = None
    runner.set_global("__stack_pointer", runner.stack_top)
    steps = [Step(START, optional=True)]
    if not shared_tls:
        steps.append(Step("__wasm_init_tls", (base,), optional=True))
    runner.plan = tuple(steps)
