"""A runner whose program is a wasm module: a continuation of the machine in a store of its own.

What a thread has to run is a *plan*: calls of exports, one after the other (start function, ``_initialize``,
the entry); preparations of a new thread are calls on top of the continuation it inherits.
Rules LOAD-2, THREAD-5, 3I-GRATE-5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from lindref.state.records import record, replace
from lindref.system import abi
from lindref.system.hostcalls import answer
from lindref.system.image import SLOT_GUARD, SLOT_STACK
from lindref.system.runner import (
    Asks,
    AtDelivery,
    Finished,
    HandlerReturned,
    Preempted,
    RunnerEvent,
    Trapped,
    WaitsOnMemory,
    WakesMemory,
)
from lindref.vm import engines, outcomes
from lindref.vm.continuation import Continuation
from lindref.vm.limits import Exhaustion
from lindref.vm.machine import Machine
from lindref.vm.memory import Memory
from lindref.vm.program import Program
from lindref.vm.store import Store, StoreState, View
from lindref.vm.values import FuncInst, GlobalAddr, Value

#: Steps of a plan that are not calls of an export.
START = "(start)"


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
    def max_depth(self) -> int:
        """Frames of guest calls that a thread may have."""

    @property
    def engine(self) -> str:
        """Which machine runs it: one of ``vm.engines.ENGINES``."""

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


@record("system.tls")
class TlsBarrier:
    """What the frames that prepare a new thread remember: its stack's high end and how far below it the stack pointer
    is to stand; ``block`` is the address of the thread's TLS block once known."""

    stack: int
    below: int
    block: int | None = None


@record("system.wasm-runner")
class WasmRunnerState:
    """A wasm runner as a value; memories are the cage's, frozen with it."""

    store: StoreState
    continuation: Continuation
    view: int
    plan: tuple[Step, ...]
    current: Step | None
    stack_top: int


#: The plan of a program: what its start needs, then ``_start`` (LOAD-2).
PROGRAM = (Step(START, optional=True), Step("_initialize", optional=True), Step("_start", last=True))


class WasmRunner:
    """See the module; implements ``lindref.system.runner.Runner``."""

    def __init__(
        self, guest: Guest, store: Store, view: View, plan: tuple[Step, ...], machine: Machine | None = None
    ) -> None:
        """A runner with ``plan`` to carry out; ``machine`` continues one that runs already."""
        self.guest = guest
        self.store = store
        self.view = view
        self.plan = plan
        self.current: Step | None = None
        self.machine = machine or engines.machine(guest.engine, store, max_depth=guest.max_depth)
        self.changed = True
        #: High end of this thread's stack: what ``__stack_pointer`` starts with (3i.md 4.8a).
        self.stack_top = self.global_value("__stack_pointer") or 0

    # The instance's exports.

    def function(self, name: str) -> FuncInst | None:
        """An exported function (or the start function) that the module itself defines."""
        found = self.view.instance.start if name == START else self.view.instance.export(name)
        return found if isinstance(found, FuncInst) else None

    def global_value(self, name: str) -> int | None:
        """The value of an exported i32 global."""
        found = self.view.instance.export(name)
        value = self.store.globals[found.number].value if isinstance(found, GlobalAddr) else None
        return value if isinstance(value, int) else None

    def set_global(self, name: str, value: int) -> None:
        """Set an exported global, where there is one."""
        found = self.view.instance.export(name)
        if isinstance(found, GlobalAddr):
            self.store.globals[found.number].value = value & 0xFFFFFFFF

    # Running.

    @property
    def ticks(self) -> int:
        """Ticks used so far."""
        return self.machine.ticks

    def run(self, ticks: int) -> RunnerEvent:
        """Go on until something is to be said."""
        self.changed = True
        limit = self.machine.ticks + ticks
        while True:
            if self.machine.frame is None and not self._next_step():
                return Finished(0)
            left = limit - self.machine.ticks
            if left < 1:
                return Preempted()
            event = self._event(self.machine.run(left))
            if event is not None:
                return event

    def _next_step(self) -> bool:
        """Begin the next call of the plan; false if there is none."""
        while self.plan:
            step, self.plan = self.plan[0], self.plan[1:]
            func = self.function(step.name)
            if func is None and step.optional:
                continue
            if func is None:
                self.plan = ()
                return False
            wanted = len(self.store.func_type(func).params)
            self.current = step
            self.machine.call(func, step.args[:wanted])
            return True
        return False

    def _event(self, outcome: outcomes.Outcome) -> RunnerEvent | None:
        """What an outcome of the machine means; ``None``: nothing to say, go on."""
        match outcome:
            case outcomes.HostCall(func, args):
                if func.name == abi.MAKE_SYSCALL:
                    return Asks(abi.decode_syscall(args))
                reply = answer(self.guest, func, args)
                if isinstance(reply, str):
                    return Trapped(reply, self.where())
                self.machine.resume(reply)
                return None
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
            case outcomes.Paused() | outcomes.Stepped():
                return Preempted()

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
        func = self.function("signal_callback")
        if func is None:
            return False
        self.changed = True
        self.machine.push_call(func, [handler, signo], token)
        return True

    def where(self) -> tuple[str, ...]:
        """Names of the functions in progress."""
        places = self.machine.backtrace(32)
        return tuple(f"{p.name or f'func {p.func}'} +{p.offset:#x}" for p in places if p.func >= 0)

    # Grate calls.

    def serve(self, address: int, cage: int, pairs: tuple[int, ...]) -> bool:
        """Plan ``pass_fptr_to_wt(address, cage, pairs…)`` on this worker; false where it is not exported."""
        func = self.function("pass_fptr_to_wt")
        if func is None or len(self.store.func_type(func).params) != 14:
            return False
        self.changed = True
        if self.machine.frame is not None:  # a call before this one trapped
            self.machine = engines.machine(self.guest.engine, self.store, max_depth=self.guest.max_depth)
        if not self.plan:
            self.set_global("__stack_pointer", self.stack_top)
        mask = (1 << 64) - 1
        args = (address & mask, cage, *(p & mask for p in pairs))
        self.plan = (*self.plan, Step("pass_fptr_to_wt", args, last=True))
        return True

    # Copies.

    def fork(self, guest: Guest) -> WasmRunner:
        """The same continuation for a forked cage, whose memory ``guest`` has already (FORK-3)."""
        frozen = self.machine.freeze()
        store = self.store.spawn_thread(memories=[guest.memory])
        return self._copy(guest, store, frozen)

    def spawn(self, stack: int) -> WasmRunner:
        """The same continuation for a new thread with its own globals and tables, on its own stack (THREAD-5).

        Before it goes on, ``__get_aligned_tls_size`` and ``__wasm_init_tls`` run in it where they are exported.
        """
        frozen = self.machine.freeze()
        other = self._copy(self.guest, self.store.spawn_thread(), frozen)
        below = self.stack_top - (self.global_value("__stack_pointer") or 0)
        other.stack_top = stack
        other.machine.resume([0])
        size = other.function("__get_aligned_tls_size")
        init = other.function("__wasm_init_tls")
        if size is not None and init is not None:
            other.set_global("__stack_pointer", stack)
            other.machine.push_call(size, [], TlsBarrier(stack, below))
        else:
            other.set_global("__stack_pointer", stack - below)
        return other

    def _prepared(self, barrier: TlsBarrier, values: tuple[Value, ...]) -> None:
        """One of the two preparations of a new thread has returned."""
        if barrier.block is None:
            block = barrier.stack - values[0]
            self.set_global("__stack_pointer", block)
            init = self.function("__wasm_init_tls")
            assert init is not None
            self.machine.push_call(init, [block & 0xFFFFFFFF], replace(barrier, block=block))
        else:
            self.set_global("__stack_pointer", barrier.block - barrier.below)

    def _copy(self, guest: Guest, store: Store, frozen: Continuation) -> WasmRunner:
        machine = engines.thaw(guest.engine, store, frozen, max_depth=guest.max_depth)
        other = WasmRunner(guest, store, store.views[self.view.instance.number], self.plan, machine)
        other.current = self.current
        other.stack_top = self.stack_top
        return other

    # States.

    def freeze(self) -> WasmRunnerState:
        """The runner as a value."""
        self.changed = False
        return WasmRunnerState(
            self.store.freeze(memories=False),
            self.machine.freeze(),
            self.view.instance.number,
            self.plan,
            self.current,
            self.stack_top,
        )

    @classmethod
    def thaw(cls, guest: Guest, state: WasmRunnerState, programs: Mapping[str, Program]) -> WasmRunner:
        """A live runner in ``state``; programs by digest."""
        store = Store.thaw(state.store, programs, [guest.memory])
        machine = engines.thaw(guest.engine, store, state.continuation, max_depth=guest.max_depth)
        runner = cls(guest, store, store.views[state.view], state.plan, machine)
        runner.current = state.current
        runner.stack_top = state.stack_top
        runner.changed = False
        return runner


def worker_plan(runner: WasmRunner, arena: int, slot: int, *, shared_tls: bool) -> None:
    """Prepare a new worker: its stack slot, and its TLS block at the slot's low end (3I-GRATE-5).

    With ``shared_tls`` (deviation ``GRATE-WORKER-TLS``) no block is made and its TLS base stays 0.
    """
    base = arena + (slot - 1) * (SLOT_GUARD + SLOT_STACK) + SLOT_GUARD
    runner.stack_top = base + SLOT_STACK
    runner.set_global("__stack_pointer", runner.stack_top)
    steps = [Step(START, optional=True)]
    if not shared_tls:
        steps.append(Step("__wasm_init_tls", (base,), optional=True))
    runner.plan = tuple(steps)
