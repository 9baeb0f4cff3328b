"""One state of the model, fed with what was observed: calls as they enter, their returns as they come back (JUDGE-2).

What the model does of itself (routes, new cages, signals, ends) is kept until it is seen; what is seen and the model
does not do is a `Contradiction`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lindref import classes
from lindref.conformance.oracle import compare, delivered, endings, inputs
from lindref.conformance.oracle.names import Names
from lindref.conformance.oracle.observed import EMPTY, LAST_PYTHON, Ended, ObservedRunner, ObservedSystem
from lindref.conformance.oracle.verdict import Contradiction
from lindref.conformance.oracle.why import Why
from lindref.conformance.oracle.world import World
from lindref.posix import memory as posix_memory
from lindref.posix import timers
from lindref.posix.cage import INIT_CAGE
from lindref.posix.call import Arg, i32
from lindref.system import calls, grates, lifecycle, schedule
from lindref.system.abi import SyscallRequest
from lindref.system.events import End, Event, Exec, Route, Signal, Spawn
from lindref.system.runner import Loading
from lindref.system.threads import Blocked, ImageRequest, InGrate, Queued, Ready, Retry, Thread
from lindref.threei import tables
from lindref.threei.numbers import BENEATH, MAX_CAGE_ID, REGISTER_HANDLER
from lindref.trace.format import Record

_MMAP, _BRK = 9, 12
#: How the runtime maps a static image: at 0, fixed, read and write.
_IMAGE_FLAGS = 0x32
#: Tries of a call that waits, at its return: one for each wake-up, deadline or signal that may come before.
_TRIES = 8


@classes.define
class Outstanding:
    """What the model has done and was not yet observed."""

    routes: dict[int, Route] = classes.field(factory=dict)
    spawns: list[Spawn] = classes.field(factory=list)
    execs: list[Exec] = classes.field(factory=list)
    ends: list[End] = classes.field(factory=list)
    signals: list[Signal] = classes.field(factory=list)

    def copy(self) -> Outstanding:
        """The same for another state."""
        return Outstanding(dict(self.routes), list(self.spawns), list(self.execs), list(self.ends), list(self.signals))


@classes.frozen
class PutOff:
    """A call that entered and has not taken effect: how, its end where known, and who was seen to serve it."""

    record: Record
    later: Record | None
    route: Record | None = None


class Course:
    """A state of the model on its way along a trace. ``observes``: the events that the trace would show."""

    def __init__(self, system: ObservedSystem, world: World, observes: frozenset[str]) -> None:
        self.system = system
        self.world = world
        self.observes = observes
        self.names = Names()
        self.out = Outstanding()
        #: The model's call -> the key of the thread that made it.
        self.makers: dict[int, int] = {}
        #: Calls of the model that a grate serves: what they write is the grate's own doing.
        self.served: set[int] = set()
        #: Calls of the trace under way, to say more about them.
        self.open: dict[int, Record] = {}
        #: Cages whose image is not yet laid out, and those whose heap was not seen.
        self.bare: set[int] = set()
        self.heapless: set[int] = set()
        self.why = Why(system.kernel.rows)
        self.begun = False
        #: Calls that entered and have not taken effect (`search`), and all that are under way with their ends where
        #: those are known, and their places among the calls of the trace.
        self.put_off: dict[int, PutOff] = {}
        self.places: dict[int, int] = {}
        self.ends: dict[int, Record] = {}
        self.entered = 0
        #: Whether anything could have gone otherwise since last decided (`judge`), or did so that nobody knows in which
        #: order names came into directories.
        self.free = False
        self.unordered = False
        #: What was found out about ways to go on from this very state (`apart`).
        self.tried: dict[Any, Any] = {}
        self.touched: dict[Any, Any] = {}
        self.reaches: dict[Any, Any] = {}

    # Steps of the trace.

    def step(self, record: Record, later: Record | None) -> None:
        """Take one event; ``later`` is the end of a call that enters, where that is known already."""
        handler = _STEPS.get(record["event"])
        if handler is None:
            return
        if not self.begun and record["event"] != "exec":
            self._begin(record["cage"], record.get("tid", 1))
        time = record.get("time")
        if time is not None and self.world.virtual and time > self.system.kernel.now:
            self.system.kernel.now = time
        handler(self, record, later)

    # Ways that a set of states branches (`search`).

    def overlaps(self, enter: Record) -> bool:
        """Whether a call that enters does so while another, which it does not serve, is under way."""
        within = enter.get("within") or 0
        above: set[int] = set()
        while within and within in self.open:
            above.add(within)
            within = self.open[within].get("within") or 0
        return any(call not in above for call in self.open) or bool(self.put_off)

    def may_wait(self, enter: Record) -> bool:
        """Whether a call may take effect later than it enters: somebody else can do something meanwhile."""
        if self.overlaps(enter):
            return True
        return not enter.get("within") and sum(not thread.slot for thread in self.system.threads.values()) > 1

    def puts_off(self, record: Record, later: Record | None) -> None:
        """A call enters that takes effect later."""
        self._entered(record, later)
        self.put_off[record["call"]] = PutOff(record, later)
        self.unordered = True
        self.tried.clear()

    def sees_route(self, record: Record) -> None:
        """It is seen who serves a call that has not taken effect."""
        self.put_off[record["call"]] = classes.evolve(self.put_off[record["call"]], route=record)
        self.tried.clear()

    def takes_effect(self, call: int) -> None:
        """A call that was put off is made."""
        found = self.put_off.pop(call)
        self._made(found.record, found.later)
        if found.route is not None:
            self.on_route(found.route, None)
        self.foreseen(call)

    def comes_back(self, record: Record) -> None:
        """A call comes back, which takes effect now if it has not."""
        if record["call"] in self.put_off:
            self.takes_effect(record["call"])
        self.on_exit(record, None)

    def retries(self, key: int) -> None:
        """A thread whose wait something has ended tries its call again."""
        self.try_again(self.system.threads[key])
        self.gather()
        for call in [call for call, maker in self.makers.items() if maker == key]:
            if call in self.names.called:
                self.foreseen(self.names.called[call])

    def foreseen(self, call: int) -> None:
        """A call that has its result will come back with that: it must be the one that was seen."""
        later = self.ends.get(call)
        ended = self.system.results.get(self.names.calls.get(call, 0))
        if later is not None and ended is not None:
            self._compare(call, later, ended)

    def waits_for(self) -> tuple[object, ...]:
        """What is not in the system's state, and decides what can be shown."""
        results = sorted(
            (self.names.called.get(call, 0), ended.event.result, tuple(sorted(ended.shown.items())))
            for call, ended in self.system.results.items()
            if ended.event.result is not None
        )
        names = self.names
        return (
            tuple(sorted(self.put_off)),
            tuple(results),
            tuple(sorted(names.cages.items())),
            tuple(sorted(names.threads.items())),
            len(self.out.ends), len(self.out.signals), len(self.out.spawns), len(self.out.execs),
        )  # fmt: skip

    def _begin(self, cage: int, tid: int) -> None:
        """The first cage, whose loading was not seen."""
        self.begun = True
        thread = self.system.begin_bare()
        self.names.bind_cage(cage, thread.cage)
        self.names.bind_thread(cage, tid, thread.key)
        self.heapless.add(thread.cage)
        self.world.bare_memory(self.system, thread.cage)

    # Threads.

    def thread_of(self, record: Record) -> Thread:
        """The model's thread that an event belongs to."""
        within = record.get("within")
        if within:
            return self._worker(within)
        place = (record["cage"], record.get("tid", 1))
        key = self.names.threads.get(place)
        thread = self.system.threads.get(key) if key is not None else None
        if thread is None:
            thread = self._unbound(place)
        if within is None and not isinstance(thread.status, Ready):
            thread = self._serving(thread) or thread
        return thread

    def _worker(self, call: int) -> Thread:
        """The worker that serves a call of the trace."""
        model = self.names.calls.get(call)
        maker = self.system.threads.get(self.makers.get(model or 0, 0))
        status = maker.status if maker is not None else None
        if not isinstance(status, InGrate):
            raise Contradiction("3I-GRATE-1", f"a call is made within call {call}, which no grate serves")
        return self.system.threads[status.worker]

    def _serving(self, thread: Thread) -> Thread | None:
        """A worker of the thread's cage that can make a call: the trace does not say which call it serves."""
        found = [t for t in self.system.threads.values() if t.slot and t.serving and t.cage == thread.cage]
        return next((t for t in reversed(found) if isinstance(t.status, Ready)), None)

    def _unbound(self, place: tuple[int, int]) -> Thread:
        """A thread that is seen for the first time, without having been seen to be made."""
        cage = self.names.cages.get(place[0])
        for spawn in self.out.spawns:
            fits = (
                spawn.child == cage if cage is not None else spawn.child_tid == 1 and spawn.child not in self.names.back
            )
            if fits and (cage is None or spawn.child_tid > 1):
                self._born(spawn, *place)
                return self.system.threads[self.names.threads[place]]
        worker = next((t for t in self.system.threads.values() if t.slot and t.serving and t.cage == cage), None)
        if worker is not None:
            return worker
        gone = "it has ended" if cage is not None else "no call made it"
        rule = "EXIT-1" if cage is not None else "FORK-1"
        raise Contradiction(rule, f"thread {place[1]} of cage {place[0]} does something, and in the model {gone}")

    def _born(self, spawn: Spawn, cage: int, tid: int) -> None:
        """The model's new thread is ``tid`` of the trace's ``cage``."""
        self.out.spawns.remove(spawn)
        key = next(
            (
                t.key
                for t in self.system.threads.values()
                if (t.cage, t.tid, t.slot) == (spawn.child, spawn.child_tid, 0)
            ),
            0,
        )
        if not self.names.bind_cage(cage, spawn.child):
            raise Contradiction("FORK-1", f"a new thread is of cage {cage}", f"cage {self.seen_cage(spawn.child)}")
        if key:
            self.names.bind_thread(cage, tid, key)
        if not spawn.child_tid > 1 and spawn.cage in self.heapless:
            self.heapless.add(spawn.child)

    def seen_cage(self, cage: int) -> int:
        """The trace's id of a cage of the model."""
        return self.names.back.get(cage, cage)

    # Calls.

    def on_enter(self, record: Record, later: Record | None) -> None:
        """A call leaves its cage: the model makes it."""
        self._entered(record, later)
        self._made(record, later)

    def _entered(self, record: Record, later: Record | None) -> None:
        """A call is under way."""
        call = record["call"]
        self.entered += 1
        self.places[call] = self.entered
        self.free = self.free or self.overlaps(record)
        self.open[call] = record
        if later is not None:
            self.ends[call] = later

    def _made(self, record: Record, later: Record | None) -> None:
        """The model makes a call."""
        system = self.system
        thread = self.thread_of(record)
        if not thread.slot and (cage := system.kernel.cages.get(thread.cage)) is not None and cage.pending:
            delivered.quiet_signals(self, thread, cage)
        if not isinstance(thread.status, Ready) or not isinstance(thread.runner, ObservedRunner):
            raise Contradiction("FORMAT-4", self._busy(thread), broken=True)
        number = record["number"]
        row = system.kernel.rows.get(number)
        pairs = self.names.pairs(record, row)
        caller = self.names.cage(_of(record, "self"))
        target = self.names.cage(_of(record, "target"))
        then = "guest"
        if number == REGISTER_HANDLER and caller == target and MAX_CAGE_ID < pairs[1][1] == caller <= LAST_PYTHON:
            then = "observed"  # the run itself puts a grate in Python over a cage (PY-2)
            if caller not in system.runtimes:
                system.python_grate(caller, pairs[0][0])
        elif caller > LAST_PYTHON and caller not in BENEATH:
            # A table that no cage has: the producer's own, for calls that nobody is to interpose.
            then = "observed"
            if caller not in system.tables.rows:
                system.tables = tables.boot(system.tables, caller, system.kernel.rows)
        pairs = inputs.prepare(self, thread, record, later, row, pairs, target)
        if inputs.beneath(self, record):
            self.world.supply(system, record, later, row, pairs)
        call = system.call_count + 1
        self.names.bind_call(record["call"], call)
        self.makers[call] = thread.key
        system.made[call] = (number, pairs)
        system.last, system.did = None, []
        system.current = thread.key
        request = SyscallRequest(number, 0, caller, target, tuple(Arg(*pair) for pair in pairs))
        with system.numbers_of(self.places[record["call"]]):
            calls.begin(system, thread, request, then=then)
        self.gather()
        if thread.cage in self.bare:
            self._laid_out(thread.cage, number, pairs)

    def _laid_out(self, cage: int, number: int, pairs: tuple[tuple[int, int], ...]) -> None:
        """A new image makes a call: the first maps it, if it is static; its heap begins behind that (MEM-12)."""
        self.bare.discard(cage)
        if number == _MMAP and pairs[0][0] == 0 and pairs[3][0] == _IMAGE_FLAGS:
            posix_memory.set_heap(self.system.kernel, cage, pairs[1][0])
        if cage not in self.system.static:
            self.heapless.add(cage)

    def _busy(self, thread: Thread) -> str:
        return f"a call enters while its thread waits: {schedule.waits_for(self.system, thread.status)}"

    def on_route(self, record: Record, later: Record | None) -> None:
        """Somebody serves a call."""
        del later
        call = self.names.calls.get(record["call"])
        if call is None:
            return
        route = self.out.routes.pop(call, None)
        seen = record["handler"]
        if route is None:
            ended = self.system.results.get(call)
            if ended is not None and ended.event.rule == "TRAVEL-4":
                return  # it was given its result
            rule = ended.event.rule if ended is not None and ended.event.rule else "3I-ROUTE-2"
            raise Contradiction(rule, f"the call is given to {_whose(seen)}", "to nobody", told=True)
        model = seen if seen in BENEATH else self.names.cage(seen)
        if model != route.handler:
            raise Contradiction(
                route.rule, f"the call is served by {_whose(seen)}", _whose(self.seen_cage(route.handler)), told=True
            )
        if record.get("address", route.address) != route.address and route.handler not in BENEATH:
            what = f"the call is served by function {record['address']} of grate {seen}"
            raise Contradiction(route.rule, what, f"function {route.address}", told=True)

    def on_exit(self, record: Record, later: Record | None) -> None:
        """A call comes back."""
        del later
        call = self.names.calls.get(record["call"])
        if call is None:
            return
        enter = self.open[record["call"]]
        if call not in self.system.results:
            self._bring_back(call, record)
        ended = self.system.results.pop(call, None)
        if ended is None:
            self._does_not_return(call, enter, record)
            return
        if "route" in self.observes and call in self.out.routes:
            handler = self.out.routes.pop(call).handler
            raise Contradiction("3I-ROUTE-2", "nobody serves the call", _whose(self.seen_cage(handler)))
        self.makers.pop(call, None)
        self._compare(record["call"], record, ended)
        del self.open[record["call"]]
        self.system.given.pop(self.places.pop(record["call"]), None)
        self.ends.pop(record["call"], None)
        self.names.forget_call(record["call"])
        self.served.discard(call)

    def _compare(self, call: int, record: Record, ended: Ended) -> None:
        """The end of a call as it was seen, against the model's."""
        if "shown" in record or record.get("ret") is not None or ended.event.result is not None or "errno" in record:
            compare.result(self, self.open[call], record, ended, beneath=ended.event.call not in self.served)

    def _does_not_return(self, call: int, enter: Record, record: Record) -> None:
        """What the model would have the call do, where it does not come back."""
        thread = self.system.threads.get(self.makers.get(call, 0))
        waits = schedule.waits_for(self.system, thread.status) if thread is not None else "its thread has ended"
        rule = self.why.waits(enter["number"])
        if thread is not None and isinstance(thread.status, InGrate | Queued):
            rule = "3I-GRATE-2"
        shown = compare.told(enter, record)
        blocked = thread.key if thread is not None and isinstance(thread.status, Blocked) else 0
        raise Contradiction(
            rule, f"the call comes back with {shown}", f"not to come back yet: {waits}", blocked=blocked
        )

    def _bring_back(self, call: int, record: Record) -> None:
        """Do what lets a call come back that waits: serve it, try it again, let its time pass."""
        system = self.system
        for _ in range(_TRIES):
            thread = system.threads.get(self.makers.get(call, 0))
            if thread is None or call in system.results:
                return
            status = thread.status
            match status:
                case InGrate():
                    worker = system.threads[status.worker]
                    if not isinstance(worker.status, Ready):
                        return
                    ret = record.get("ret")
                    child = self.names.back.get(status.pending.child, ret)
                    value = 0 if ret is None or (status.pending.child and child == ret) else i32(ret)
                    grates.finish(system, worker, value)
                case Retry():
                    self.try_again(thread)
                case Blocked():
                    if not self._wake(thread, status, record):
                        return
                case _:
                    return
            self.gather()

    def try_again(self, thread: Thread) -> None:
        """A call that waits is tried again."""
        status = thread.status
        assert isinstance(status, Retry)
        thread.status = Ready()
        self.system.current = thread.key
        with self.system.numbers_of(self.places.get(self.names.called.get(status.pending.id, 0), 0)):
            calls.ask_kernel(
                self.system, thread, status.pending, timed_out=status.timed_out, interrupted=status.interrupted
            )

    def _wake(self, thread: Thread, status: Blocked, record: Record) -> bool:
        """Let happen what ends a wait: what comes from outside, a signal of a timer, the wait's own time."""
        system = self.system
        if self.world.from_outside(system, thread, status, record):
            system.wake_changed()
            return isinstance(thread.status, Retry)
        interrupted = record.get("errno") == "EINTR" or record.get("ret") == -4
        alarm = timers.next_deadline(system.kernel)
        if interrupted and alarm is not None:
            self.let_pass(alarm)
        elif status.deadline is not None:
            self.let_pass(status.deadline)
        return isinstance(thread.status, Retry)

    def let_pass(self, until: int) -> None:
        """Time passes."""
        kernel = self.system.kernel
        kernel.now = max(kernel.now, until)
        schedule.wake_due(self.system)

    # What the model does of itself.

    def gather(self) -> None:
        """Sort what happened in the model since last asked."""
        happened = self.system.happened
        if not happened:
            return
        for event in happened:
            self._keep(event)
        happened.clear()

    def _keep(self, event: Event) -> None:
        """Something happened that is to be seen."""
        out = self.out
        match event:
            case Route():
                if "route" in self.observes:
                    out.routes[event.call] = event
                if event.handler not in BENEATH:
                    self.served.add(event.call)
            case End():
                out.ends.append(event)
                if not event.whole:
                    for key in [k for k in self.names.known if k not in self.system.threads]:
                        self.names.forget_thread(key)
            case Spawn():
                out.spawns.append(event)
                if event.child_tid == 1 and self.world.is_bare(event.cage):
                    self.world.bare_memory(self.system, event.child)
            case Exec():
                out.execs.append(event)
            case Signal():
                out.signals.append(event)
            case _:
                pass  # what came in from outside is taken where it is asked for

    def on_spawn(self, record: Record, later: Record | None) -> None:
        """A cage or thread came to be."""
        del later
        child, tid = record["child"], record.get("child_tid", 1)
        cage = self.names.cage(record["cage"])
        mine = [s for s in self.out.spawns if s.cage == cage and (s.child_tid > 1) == (tid > 1)]
        if not mine:
            if (child, tid) in self.names.threads:
                return  # it was seen to do something before
            what = f"thread {tid} of cage {child}" if tid > 1 else f"cage {child}"
            raise Contradiction("FORK-1" if tid == 1 else "THREAD-1", f"{what} comes to be", "nothing of the kind")
        spawn = next((s for s in mine if self.names.cages.get(child) == s.child), mine[0])
        self._born(spawn, child, tid)

    def on_exec(self, record: Record, later: Record | None) -> None:
        """A cage runs a new image."""
        del later
        path = record["path"].encode("utf-8", "surrogateescape")
        if not self.begun:
            self._load(record, path)
            return
        cage = self.names.cages.get(record["cage"])
        event = next((e for e in self.out.execs if e.cage == cage), None)
        if event is None and cage == INIT_CAGE and INIT_CAGE in self.world.bare and not len(self.system.images.blobs):
            self._load_beneath(record, path)
            return
        if event is None:
            raise Contradiction("EXEC-9", f"cage {record['cage']} runs a new image", "nothing of the kind")
        self.out.execs.remove(event)
        if not self.world.unknown and event.path != record["path"]:
            raise Contradiction("EXEC-9", f"the new image is {record['path']}", event.path)
        main = self.system.main_thread(event.cage)
        if main is not None:
            self.names.forget_thread(main.key)
            self.names.bind_thread(record["cage"], record.get("tid", 1), main.key)
        self.world.bare -= {event.cage}
        self.bare.add(event.cage)

    def _load_beneath(self, record: Record, path: bytes) -> None:
        """The first cage's image, once grates in Python are over it (PY-2)."""
        system = self.system
        thread = system.main_thread(INIT_CAGE)
        assert thread is not None, "it has registered them"
        system.runtimes = system.runtimes.remove(INIT_CAGE)
        self.world.bare -= {INIT_CAGE}
        self.heapless.discard(INIT_CAGE)
        argv = tuple(word.encode("utf-8", "surrogateescape") for word in record.get("argv", ()))
        lifecycle.start_image(system, thread, ImageRequest(path, self.world.image(system, path), argv, ()))
        self.gather()
        self.out.execs.clear()
        self.bare.add(INIT_CAGE)

    def _load(self, record: Record, path: bytes) -> None:
        """The first cage's image (BOOT-1)."""
        self.begun = True
        argv = tuple(word.encode("utf-8", "surrogateescape") for word in record.get("argv", ()))
        thread = self.system.first_cage(Loading())
        lifecycle.start_image(self.system, thread, ImageRequest(path, self.world.image(self.system, path), argv, ()))
        self.names.bind_cage(record["cage"], thread.cage)
        self.names.bind_thread(record["cage"], record.get("tid", 1), thread.key)
        self.gather()
        self.out.execs.clear()
        self.bare.add(thread.cage)

    def gone(self, cage: int) -> None:
        """The trace's ``cage`` has ended: its calls never come back."""
        for call in [call for call, enter in self.open.items() if enter["cage"] == cage]:
            self.put_off.pop(call, None)
            self.ends.pop(call, None)
            self.makers.pop(self.names.calls.get(call, 0), None)
            self.names.forget_call(call)
            del self.open[call]
            self.system.given.pop(self.places.pop(call), None)

    def copy(self, system: ObservedSystem) -> Course:
        """The same way so far, for a system in the same state."""
        other = Course(system, self.world.copy(), self.observes)
        other.names, other.out = self.names.copy(), self.out.copy()
        other.makers, other.open, other.served = dict(self.makers), dict(self.open), set(self.served)
        other.put_off, other.free, other.unordered = dict(self.put_off), self.free, self.unordered
        other.places, other.ends, other.entered = dict(self.places), dict(self.ends), self.entered
        other.bare, other.heapless, other.begun = set(self.bare), set(self.heapless), self.begun
        return other


def _of(record: Record, name: str) -> int:
    """The cage that a call names, its own where that was not observed."""
    found: int = record[name] if name in record else record["cage"]
    return found


def _whose(handler: int) -> str:
    known: Mapping[int, str] = dict(zip(BENEATH, ("RawPOSIX", "the runtime", "3i"), strict=True))
    return known.get(handler, f"grate {handler}")


_STEPS: dict[str, Callable[[Course, Record, Record | None], None]] = {
    "enter": Course.on_enter,
    "route": Course.on_route,
    "exit": Course.on_exit,
    "spawn": Course.on_spawn,
    "exec": Course.on_exec,
    "end": endings.on_end,
    "signal": delivered.on_signal,
    "outcome": endings.on_outcome,
}

__all__ = ["EMPTY", "Course", "Ended"]
