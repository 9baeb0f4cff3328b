"""The system: one object that holds a run's state and takes it forward one turn at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from lindref.posix import console, processes, table
from lindref.posix.cage import INIT_CAGE, MAIN_THREAD
from lindref.posix.call import i32
from lindref.posix.kernel import Kernel
from lindref.profile import SPEC, Profile
from lindref.state.pmap import PMap
from lindref.state.records import replace
from lindref.system import accesses, at_once, calls, delivery, grates, lifecycle, panics, pools, schedule, worldly
from lindref.system.choices import Choices, Chooser, FirstOption
from lindref.system.events import Choice, Event, Note, Observer
from lindref.system.guests import CageGuest
from lindref.system.host import SystemHost
from lindref.system.image import PAGE, Image, Images, link
from lindref.system.outcome import Ending, Outcome
from lindref.system.pools import Pool
from lindref.system.roster import Roster
from lindref.system.runner import (
    Asks,
    AtAccess,
    AtDelivery,
    Becomes,
    CannotLoad,
    Finished,
    HandlerReturned,
    HostEnds,
    Loading,
    Preempted,
    Runner,
    RunnerEvent,
    RunnerState,
    Stepped,
    Trapped,
    WaitsOnMemory,
    WakesMemory,
)
from lindref.system.runtime import CageRuntime, Config
from lindref.system.script_runner import ScriptRunner, ScriptState
from lindref.system.threads import (
    AtomicBlocked,
    Blocked,
    Calling,
    Forked,
    Idle,
    ImageRequest,
    Pending,
    Ready,
    Retry,
    SignalBarrier,
    Thread,
)
from lindref.system.wasm_runner import PROGRAM, WasmRunner, worker_plan
from lindref.threei.numbers import THREEI_CALLS, ThreeIError
from lindref.threei.tables import HandlerTables, boot
from lindref.vm.limits import Budget, Exhaustion
from lindref.vm.memory import Memory

if TYPE_CHECKING:
    from lindref.system.loader.needs import Preload
    from lindref.system.python.grate import Grate
    from lindref.system.python.records import Attaching, GrateState, Recipe
    from lindref.vm.engines import Engine

_E = TypeVar("_E", bound=Event)

_THREEI_NAMES = dict(
    zip(THREEI_CALLS, ("register_handler", "copy_data_between_cages", "copy_handler_table_to_cage"), strict=True)
)


class System:
    """A run. ``step`` takes one turn; ``run`` goes on to the end; ``lindref.system.state`` freezes and thaws it."""

    def __init__(
        self,
        *,
        profile: Profile = SPEC,
        config: Config | None = None,
        chooser: Chooser | None = None,
        engine: Engine = "auto",
    ) -> None:
        self.profile = profile
        self.config = config or Config()
        #: Which machine runs wasm (``vm.engines``); nothing else can tell.
        self.engine = engine
        self.host = SystemHost(self)
        limit = self.config.max_memory
        self.budget = Budget(None if limit is None else limit // PAGE)
        self.kernel: Kernel = table.new_kernel(self.host, self.budget)
        self.kernel.now = self.config.start_time
        worldly.join(self)
        self.tables = HandlerTables()
        self.choices = Choices(chooser or FirstOption(), told=self._chosen)
        self.images = Images()
        self.threads = Roster()
        self.runtimes: PMap[CageRuntime] = PMap()
        #: Live form of the workers' part of ``runtimes`` (``pools.settle`` writes it back).
        self.pools: dict[int, Pool] = {}
        self.memories: dict[int, Memory] = {}
        #: Cages whose own threads are gone while calls into them are being served: cage -> last thread's id.
        self.ending: PMap[int] = PMap()
        self.outcome: Outcome | None = None
        #: Grates in Python by their cage: what they keep; ``python`` are the objects, ``shelf`` the run's stack.
        self.grates: PMap[GrateState] = PMap()
        self.python: dict[int, Grate] = {}
        self.shelf: tuple[Recipe, ...] = ()
        #: During a turn, registrations that were answered at once (``python.stack``).
        self.attaching: list[Attaching] | None = None
        #: Programs that cages have begun; for telling, no part of the state.
        self.launched = 0
        #: How cage 1 ended, once it has.
        self.first: Outcome | None = None
        self.event_count = 0
        self.call_count = 0
        self.thread_count = 0
        self.ticks = 0
        #: Random bytes drawn so far.
        self.drawn = 0
        self.current = 0
        self.preferred = 0
        self.yielded = False
        #: Ticks of the current thread's runner when its turn began; no part of the state.
        self.began = 0
        #: Who makes a call that the signals which are there do not wake (``delivery.too_early``); no part of the state.
        self.missing = 0
        #: Ticks that the current thread has left of its quantum.
        self.quantum = self.config.quantum
        #: What ``lindref.system.state`` froze last: what has not changed since is taken from there.
        self.last_state: Any = None
        #: Cages that stand for what is outside the run, whose table any cage may name as self.
        self.common: frozenset[int] = frozenset()
        #: Gives host files that stand in for libraries which the root has not (BOOT-5).
        self.libraries: Callable[[], Sequence[str]] | None = None
        #: What calls return instead of being made: result by the call's number (TRAVEL-4).
        self.overrides: Mapping[int, int] = {}
        #: Wants to know what instructions access (``accesses``).
        self.watcher: accesses.Watcher | None = None
        #: Calls may begin within turns (``at_once``); who has the next turn, where that is known.
        self.through = False
        self.picked: list[Thread | None] = []
        self.observers: list[Observer] = []
        #: Told of notes alone: somebody wants warnings, not the whole stream.
        self.quiet_observers: list[Observer] = []

    # Events.

    def emit(self, kind: type[_E], thread: Thread, **fields: Any) -> None:
        """An event of ``thread``; numbered whether or not anybody looks."""
        self.event_count += 1
        listeners = self.observers if kind is not Note else [*self.observers, *self.quiet_observers]
        if listeners:
            event = kind(n=self.event_count, cage=thread.cage, tid=thread.tid, time=self.kernel.now, **fields)
            for observer in listeners:
                observer.on_event(event)

    def note(self, thread: Thread | None, text: str) -> None:
        """Something a person should know."""
        self.emit(Note, thread or self._nobody(), text=text)

    def tell(self, kind: type[_E], **fields: Any) -> None:
        """An event of the system itself."""
        self.emit(kind, self._nobody(), **fields)

    def _nobody(self) -> Thread:
        """Stands for no thread in events of the system itself."""
        found = self.threads.get(self.current)
        return found or Thread(0, 0, 0, runner=None, status=Idle())  # type: ignore[arg-type]  # never run

    def _chosen(self, index: int, kind: str, options: int, answer: int) -> None:
        self.emit(Choice, self._nobody(), index=index, point=kind, options=options, answer=answer)

    # Beginning.

    def boot(
        self, path: bytes, image: bytes, argv: Iterable[bytes], env: Iterable[bytes], words: Sequence[str] = ()
    ) -> None:
        """Start a program as cage 1 (BOOT-1): its table, RawPOSIX's record, and the load of its image;
        ``words`` are the grates in Python that come over it before (PY-2).

        Raises ``ImageError`` where the image cannot be loaded at all.
        """
        self.preloads(self.images.load(image), path)
        request = ImageRequest(path, image, tuple(argv), tuple(env))
        thread = self.first_cage(Loading(), request.env)
        if words:
            from lindref.system.python import stack

            stack.begin(self, thread, words, image=request)
        else:
            lifecycle.start_image(self, thread, request)

    def first_cage(self, runner: Runner, env: tuple[bytes, ...] = ()) -> Thread:
        """Cage 1 with nothing in its memory, and its thread (BOOT-1)."""
        processes.boot(self.kernel, env)
        self.tables = boot(self.tables, INIT_CAGE, self.kernel.rows, hands_on=self.profile.has("3I-RUNTIME-TABLE"))
        self.new_memory(INIT_CAGE)
        return self.add_thread(INIT_CAGE, MAIN_THREAD, runner)

    # Going on.

    def run(self) -> Outcome:
        """Go on until the run is over."""
        while self.outcome is None:
            self.step(through=not self.config.accesses)
        return self.outcome

    def step(self, *, through: bool = False) -> bool:
        """One turn of one thread (or several that follow, if ``through``); false once the run is over."""
        if self.outcome is not None:
            return False
        self.through = through
        thread = self.begin_turn()
        if thread is not None:
            try:
                self._turn(thread)
            except Exhaustion as limit:
                self.limit(limit.message)
        return self.outcome is None

    # The parts of a turn (``system.turn`` takes one in pieces).

    def _turn(self, thread: Thread) -> None:
        allowed = self.allow(thread)
        if not allowed:
            return
        if self.config.accesses in ("shared", "all") and self.shares(thread):
            thread.runner.machine.since = 0  # type: ignore[attr-defined]  # one of wasm
            event = accesses.run(self, thread, allowed, watcher=self.watcher)
            self.ran(thread, event)
        else:
            at_once.run(self, thread, allowed)

    def begin_turn(self) -> Thread | None:
        """Who runs next; ``None`` where nobody can, and the turn is over."""
        thread = self.picked.pop() if self.picked else schedule.turn(self)
        if thread is None:
            self._nobody_runs()
            return None
        if thread.key != self.current or self.yielded or self.config.accesses:
            self.quantum = self.config.quantum
        self.current = thread.key
        self.yielded = False
        return thread

    def allow(self, thread: Thread) -> int:
        """Before ``thread`` runs: how many ticks it may; 0 where the turn is over without that."""
        status = thread.status
        if isinstance(status, Retry):
            thread.status = Ready()
            calls.again(self, thread, status)
            if not self._goes_on(thread):
                return 0
        elif isinstance(status, Calling):
            self._stood(thread, status)
            if not self._goes_on(thread):
                return 0
        elif isinstance(status, Forked):
            self.forked(self.runtimes[thread.cage].family or thread.cage)
            lifecycle.slot_taken(self, thread, status)
            if not self._goes_on(thread):
                return 0
        config = self.config
        delivery.attend(self, thread)
        allowed = self.quantum if self.quantum > 0 else 1
        if config.max_ticks is not None:
            allowed = min(allowed, config.max_ticks - self.ticks)
            if allowed < 1:
                self.limit(f"--max-ticks {config.max_ticks} reached")
                return 0
        self.began = thread.runner.ticks
        return allowed

    def ran(self, thread: Thread, event: RunnerEvent) -> None:
        """``thread`` has run, and said something: the turn ends."""
        self.spend(thread.runner.ticks - self.began)
        if self.config.accesses and isinstance(event, Asks | Finished):
            stands = Calling(event.request) if isinstance(event, Asks) else Calling(None, event.value)
            thread.status = stands  # SCHED-7
        else:
            self._happened(thread, event)

    def _goes_on(self, thread: Thread) -> bool:
        """Whether the turn does not end with the call: in a run to be explored it ends before what comes next."""
        return (
            bool(self.config.accesses)
            and self.outcome is None
            and not self.yielded
            and self.preferred in (0, thread.key)
            and self.threads.get(thread.key) is thread
            and isinstance(thread.status, Ready)
            and not isinstance(thread.runner, Loading)
            and not self.stopped(thread.cage)
        )

    def _stood(self, thread: Thread, status: Calling) -> None:
        """``thread`` makes the call that it stands before; what is delivered to it comes first."""
        self.missing = thread.key if delivery.too_early(self, thread, status.request) else 0
        taken = [] if self.missing else delivery.take(self, thread)
        if taken:
            delivery.push(self, thread, taken, status)
            return
        thread.status = Ready()
        if status.request is None:
            self._finished(thread, status.value)
        else:
            calls.begin(self, thread, status.request)

    def shares(self, thread: Thread) -> bool:
        """Whether somebody else may reach the memory that ``thread`` has (SCHED-7)."""
        return accesses.shared(self, thread)

    def _happened(self, thread: Thread, event: RunnerEvent) -> None:
        if isinstance(event, Asks):  # by far the most
            calls.begin(self, thread, event.request)
            return
        match event:
            case Preempted() | Stepped():
                self.yielded = True
            case AtAccess():
                pass  # SCHED-7: whoever can run may go on from here
            case Becomes(handlers):
                lifecycle.became(self, thread, handlers)
            case Finished(value):
                self._finished(thread, value)
            case Trapped(message, where):
                self.trapped(thread, message, where)
            case AtDelivery():
                delivery.deliver(self, thread)
            case HandlerReturned(token):
                assert isinstance(token, SignalBarrier)
                delivery.returned(self, thread, token)
            case WaitsOnMemory(address, timeout):
                deadline = None if timeout is None else self.kernel.now + timeout
                thread.status = AtomicBlocked(address, deadline)
            case WakesMemory(address, count):
                thread.runner.resume(schedule.wake_sleepers(self, thread.cage, address, count))
            case CannotLoad(message):
                self.load_failed(thread, message)
            case HostEnds(message, rule):
                panics.panic(self, thread, message, rule)

    def _finished(self, thread: Thread, value: int) -> None:
        if thread.slot:
            grates.finish(self, thread, i32(value))
        else:
            lifecycle.returned(self, thread, value)

    def spend(self, ticks: int) -> None:
        """The time that ticks take (SCHED-5)."""
        self.ticks += ticks
        self.quantum -= ticks
        self.kernel.now += ticks * schedule.TICK_NS
        if self.quantum <= 0:
            self.yielded = True

    def spend_call(self) -> None:
        """The time a call takes (SCHED-5); it counts against the quantum like a tick."""
        self.kernel.now += schedule.CALL_NS
        self.quantum -= 1

    def _nobody_runs(self) -> None:
        if not any(not t.slot for t in self.threads.values()) and not len(self.ending):
            if not worldly.flush(self):
                self.end(self.first or Outcome(Ending.EXIT.value))  # RUN-1
            return
        deadline = schedule.next_deadline(self)
        if worldly.wait(self, deadline):
            pass
        elif deadline is not None:
            self.kernel.now = max(self.kernel.now, deadline)
        elif worldly.wants_input(self) and console.pull(self.kernel):
            self.wake_changed()
        else:
            self.end(panics.stuck(self))

    # Waiting and waking.

    def block(self, thread: Thread, status: Blocked) -> None:
        """``thread`` waits in RawPOSIX."""
        if thread.key == self.missing:
            self.missing, status = 0, replace(status, pending=replace(status.pending, deaf=True))
        thread.status = status
        delivery.interrupt_waiting(self)

    def wake_changed(self) -> None:
        """Threads whose wait keys changed are tried again; those that a signal interrupts come back."""
        keys = self.kernel.changed()
        if not keys:
            return
        for thread in self.threads.waiting(keys):
            assert isinstance(thread.status, Blocked), "it waits"
            thread.status = Retry(thread.status.pending)
        delivery.hear(self, keys)
        delivery.interrupt_waiting(self)

    def stopped(self, cage: int) -> bool:
        """Whether a signal has stopped the cage."""
        found = self.kernel.cages.get(cage)
        return found is not None and found.stopped

    # Threads and cages.

    def new_call(self) -> int:
        """The number of the next call."""
        self.call_count += 1
        return self.call_count

    def call_name(self, number: int) -> str:
        """A call's name, for people."""
        row = self.kernel.rows.get(number)
        return row.name if row is not None else _THREEI_NAMES.get(number, f"call_{number}")

    def add_thread(self, cage: int, tid: int, runner: Runner) -> Thread:
        """A new thread, ready to run."""
        self.thread_count += 1
        thread = Thread(self.thread_count, cage, tid, runner, Ready())
        self.threads[thread.key] = thread
        return thread

    def new_worker(self, cage: int, slot: int) -> Thread:
        """A worker of grate ``cage`` with stack slot ``slot`` (3I-GRATE-5); raises ``ImageError`` where its module
        cannot be instantiated again."""
        runtime = self.runtimes[cage]
        runner: Runner
        if cage in self.python:
            from lindref.system.python.records import HandlingState
            from lindref.system.python.runner import PythonRunner

            runner = PythonRunner(self.guest(cage), HandlingState(slot))
        elif runtime.handlers is not None:
            runner = ScriptRunner(ScriptState((), runtime.handlers), self.guest(cage))
        else:
            store, view = link(self.images[runtime.digest], self.memories[cage])
            runner = WasmRunner(self.guest(cage), store, view, ())
            worker_plan(runner, runtime.arena, slot, shared_tls=self.profile.has("GRATE-WORKER-TLS"))
        thread = self.add_thread(cage, MAIN_THREAD, runner)
        thread.slot = slot
        return thread

    def remove_thread(self, thread: Thread) -> None:
        """``thread`` is no more."""
        self.threads.remove(thread)

    def drop_workers(self, cage: int) -> None:
        """A new image: the workers of the old one are gone."""
        self.pools.pop(cage, None)
        for thread in [t for t in self.threads.values() if t.cage == cage and t.slot]:
            self.remove_thread(thread)

    def own_threads(self, cage: int) -> list[Thread]:
        """The cage's threads that are no workers."""
        return [t for t in self.threads.values() if t.cage == cage and not t.slot]

    def forked(self, family: int) -> list[Thread]:
        """The threads of a family of cages that have yet to take the result of a fork (FORK-6)."""
        found = [t for t in self.threads.values() if isinstance(t.status, Forked)]
        return [t for t in found if (self.runtimes[t.cage].family or t.cage) == family]

    def main_thread(self, cage: int) -> Thread | None:
        """The thread of ``cage`` that has been there the longest."""
        own = self.own_threads(cage)
        return own[0] if own else None

    def in_flight(self, cage: int) -> bool:
        """Whether calls into ``cage`` are being served."""
        return any(t.cage == cage and t.slot and t.serving for t in self.threads.values())

    def guest(self, cage: int) -> CageGuest:
        """What host functions may know of a cage."""
        return CageGuest(self, cage)

    def image_runner(self, cage: int) -> Runner:
        """A runner at the beginning of the cage's image; raises ``ImageError``."""
        store, view = link(self.images[self.runtimes[cage].digest], self.memories[cage])
        return WasmRunner(self.guest(cage), store, view, PROGRAM)

    def dynamic_runner(self, cage: int, image: Image, path: bytes) -> Runner:
        """A runner that loads the cage's dynamic image and its libraries; raises ``ImageError``."""
        from lindref.system.loader.runner import program_runner  # most programs are static

        return program_runner(self.guest(cage), image, path, self.preloads(image, path))

    def runner_in(self, cage: int, state: RunnerState) -> Runner:
        """A live runner of a kind that only this system has, in ``state``."""
        raise AssertionError(f"no runner has the state {type(state).__name__} (cage {cage})")

    def preloads(self, image: Image, path: bytes) -> list[Preload]:
        """The libraries that a program is loaded with (DYN-1); raises ``ImageError`` where one is missing.

        Those that were asked for must be there for a static program, too, which does not get them.
        """
        words = self.config.preloads
        if image.dylink is None and not words:
            return []
        from lindref.system.loader import needs  # most programs are static

        if words:
            found = needs.explicit(self.kernel, self.images, words)
            return found if image.dylink is not None else []
        if self.libraries is not None:
            needs.stand_in(self.kernel, self.libraries())
        folder = path.rpartition(b"/")[0]
        follow = not self.profile.has("DL-NEEDED")
        return needs.needs(self.kernel, self.images, image, folder, follow=follow)

    def pool(self, grate: int) -> Pool | None:
        """The workers of a cage; ``None`` where it has no image (any more)."""
        found = self.pools.get(grate)
        if found is None:
            runtime = self.runtimes.get(grate)
            if runtime is None:
                return None
            found = self.pools[grate] = pools.of(runtime)
        return found

    # Memory.

    def memory(self, cage: int) -> Memory | None:
        """A cage's memory."""
        return self.memories.get(cage)

    def base(self, cage: int) -> int:
        """The address of byte 0 of a cage's memory (ABI-5)."""
        return self.host.base(cage)

    def new_memory(self, cage: int) -> None:
        """An empty memory for a new image."""
        self.drop_memory(cage)
        self.memories[cage] = Memory.lind(self.kernel.backings, self.budget)

    def drop_memory(self, cage: int) -> None:
        """Nobody uses the cage's memory any more: what it held counts no more."""
        memory = self.memories.pop(cage, None)
        if memory is not None:
            memory.close()

    def fork_memory(self, parent: int, child: int) -> None:
        """The child's memory begins as the parent's (FORK-3)."""
        self.memories[child] = self.memories[parent].fork()

    # Endings.

    def end(self, outcome: Outcome) -> None:
        """The run is over."""
        worldly.write_back(self)
        self.outcome = outcome

    def limit(self, text: str) -> None:
        """A limit that was set is reached."""
        self.end(Outcome(Ending.LIMIT.value, text=text))

    def fault(self, thread: Thread, text: str, rule: str, code: int = -6) -> None:
        """The real system's host process would die here (3i.md 2.9)."""
        self.note(thread, f"runtime fault: {text} [{rule}]")
        self.end(Outcome(Ending.FAULT.value, code, text))

    def trapped(self, thread: Thread, message: str, where: tuple[str, ...]) -> None:
        """A guest trapped: a handler's caller is told, any other cage ends (EXIT-5)."""
        at = f" in {where[0]}" if where else ""
        self.note(thread, "\n    called from ".join([f"trap: {message}{at}", *where[1:]]))
        if thread.slot:
            grates.finish(self, thread, ThreeIError.GRATE_ERROR, "3I-GRATE-3")
            return
        if self.profile.has("TRAP-THREAD") and thread.tid != MAIN_THREAD and len(self.own_threads(thread.cage)) > 1:
            lifecycle.remove_thread(self, thread, trap=message)
            return
        if thread.cage == INIT_CAGE:
            self.first = Outcome(Ending.TRAP.value, text=message)
        lifecycle.trapped(self, thread, message)

    def load_failed(self, thread: Thread, text: str) -> None:
        """The image could be read but not linked or begun."""
        self.note(thread, f"load: {text}")
        if thread.cage == INIT_CAGE:
            self.first = Outcome(Ending.LOAD.value, text=text)
        lifecycle.trapped(self, thread, text)

    def cage_ended(self, cage: int, status: int) -> None:
        """The last thread of ``cage`` is gone; its wait status is known."""
        self.drop_workers(cage)
        self.drop_memory(cage)
        self.runtimes = self.runtimes.remove(cage)
        if cage == INIT_CAGE and self.first is None:
            signal = status & 127
            ending = Ending.SIGNAL if signal else Ending.EXIT
            self.first = Outcome(ending.value, signal or status >> 8 & 255)  # RUN-2


__all__ = ["Pending", "System"]
