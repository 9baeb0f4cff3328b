"""A system and its kernel that note what a turn touches (EXP-6).

``watch`` makes an ordinary system one of these. Between turns it is as any other; during one (``Watched.turn``) what
is looked at comes as views, and what was changed is seen in the end from the difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lindref.explore.watch.footprint import BACKING, CLOCK, MEMORY, RUN, Footprint, Places, Touches
from lindref.explore.watch.views import (
    BackingsView,
    CagesView,
    CageView,
    MapView,
    MemoryView,
    TablesView,
    access,
    backed,
    plain,
)
from lindref.posix.cage import Cage
from lindref.posix.kernel import Kernel, KernelState
from lindref.state import schema
from lindref.state.records import replace
from lindref.system import pools
from lindref.system.outcome import Outcome
from lindref.system.pools import Pool
from lindref.system.python.records import SCRATCH, SCRATCH_START
from lindref.system.python.runner import PythonRunner
from lindref.system.runner import RunnerEvent, WaitsOnMemory, WakesMemory
from lindref.system.system import System
from lindref.system.threads import Blocked, Calling, Forked, Ready, Retry, Thread
from lindref.vm.memory import Memory

_CAGE_FIELDS = schema.BY_CLASS[Cage].fields

#: Attributes of the kernel that are maps; those that are not, and are read and changed as a whole.
_MAPS = tuple(
    name for name, kind in KernelState.__annotations__.items() if str(kind).startswith("PMap") and name != "cages"
)
_SCALARS = ("identity", "host_cwd", "heard")

#: The same of the system.
_SYSTEM_MAPS = ("runtimes", "ending", "grates")


def _map(name: str) -> Any:
    def get(self: Any) -> Any:
        held = self.__dict__
        touches = held.get("touches")
        return held[name] if touches is None else MapView(held[name], touches, name)

    return property(get, _setter(name))


def _setter(name: str) -> Any:
    def put(self: Any, value: Any) -> None:
        self.__dict__[name] = plain(value)

    return put


def _scalar(name: str, place: Any) -> Any:
    def get(self: Any) -> Any:
        held = self.__dict__
        if held.get("touches") is not None:
            held["touches"].read(place)
        return held[name]

    return property(get, _setter(name))


class WatchedKernel(Kernel):
    """A kernel whose maps are views during a turn."""

    touches: Touches | None = None

    @property
    def cages(self) -> Any:
        """The records of cages."""
        held = self.__dict__
        touches = held.get("touches")
        return held["cages"] if touches is None else CagesView(held["cages"], touches, "cages")

    @cages.setter
    def cages(self, value: Any) -> None:
        self.__dict__["cages"] = plain(value)

    @property
    def backings(self) -> Any:
        """The page stores."""
        held = self.__dict__
        touches = held.get("touches")
        return held["backings"] if touches is None else BackingsView(held["backings"], touches)

    @backings.setter
    def backings(self, value: Any) -> None:
        self.__dict__["backings"] = plain(value)

    def update(self, number: int, **changes: Any) -> Any:
        """As every kernel; the fields that stay as they are are not looked at."""
        held = self.__dict__
        touches = held.get("touches")
        if touches is None:
            return super().update(number, **changes)
        cage = replace(held["cages"][number], **{name: plain(value) for name, value in changes.items()})
        held["cages"] = held["cages"].set(number, cage)
        if cage.pending or cage.triggered:
            self.signalled.add(number)
        return CageView.of(cage, touches)


for _name in _MAPS:
    setattr(WatchedKernel, _name, _map(_name))
for _name in _SCALARS:
    setattr(WatchedKernel, _name, _scalar(_name, ("kernel", _name)))


def _clock() -> Any:
    """The time: who looks at it in a turn is noted also where nothing else is."""

    def get(self: Any) -> Any:
        held = self.__dict__
        touches = held.get("touches")
        if touches is not None:
            touches.read(CLOCK)
        elif held.get("listening"):
            held["clock_read"] = True
        return held["now"]

    return property(get, _setter("now"))


WatchedKernel.now = _clock()


@contextmanager
def _unseen(system: WatchedSystem) -> Iterator[Touches | None]:
    """What is done here is not noted."""
    touches, held = system.touches, system.kernel.__dict__
    listening = held.get("listening", False)
    system.touches = held["touches"] = None
    held["listening"] = False
    try:
        yield touches
    finally:
        system.touches = held["touches"] = touches
        held["listening"] = listening


class WatchedSystem(System):
    """A system whose parts are views during a turn."""

    touches: Touches | None = None

    @property
    def tables(self) -> Any:
        """The handler tables."""
        held = self.__dict__
        touches = held.get("touches")
        return held["tables"] if touches is None else TablesView.of(held["tables"], touches)

    @tables.setter
    def tables(self, value: Any) -> None:
        self.__dict__["tables"] = plain(value)

    # Who is there.

    def own_threads(self, cage: int) -> list[Thread]:
        """As every system."""
        if self.touches is not None:
            self.touches.read(("population", cage))
        return super().own_threads(cage)

    def forked(self, family: int) -> list[Thread]:
        """As every system; who asks is about to change it."""
        if self.touches is not None:
            self.touches.change(("fork-slot", family))
        with _unseen(self):
            return super().forked(family)

    def in_flight(self, cage: int) -> bool:
        """As every system."""
        if self.touches is not None:
            self.touches.read(("serving", cage))
        return super().in_flight(cage)

    # Memories.

    def memory(self, cage: int) -> Any:
        """As every system, but a view."""
        found = super().memory(cage)
        touches = self.touches
        if touches is None:
            return found
        touches.add((MEMORY, cage))
        return None if found is None else MemoryView(found, touches, cage)

    def new_memory(self, cage: int) -> None:
        """As every system."""
        self._whole(cage)
        backings = plain(self.kernel.backings)
        self.drop_memory(cage)
        self.memories[cage] = Memory.lind(backings, self.budget)

    def drop_memory(self, cage: int) -> None:
        """As every system."""
        self._whole(cage)
        super().drop_memory(cage)

    def fork_memory(self, parent: int, child: int) -> None:
        """As every system."""
        if self.touches is not None:
            self.touches.whole(MEMORY, parent, write=False)
        self._whole(child)
        super().fork_memory(parent, child)

    def _whole(self, cage: int) -> None:
        if self.touches is not None:
            self.touches.whole(MEMORY, cage, write=True)

    # Time.

    def spend_call(self) -> None:
        """As every system: time is added to."""
        with _unseen(self):
            super().spend_call()

    def spend(self, ticks: int) -> None:
        """As every system: time is added to."""
        with _unseen(self):
            super().spend(ticks)

    # Waking others: whose wait ends is seen in the end.

    def wake_changed(self) -> None:
        """As every system."""
        with _unseen(self):
            super().wake_changed()

    def block(self, thread: Thread, status: Blocked) -> None:
        """As every system; that no signal interrupts the wait is looked at."""
        with _unseen(self) as touches:
            seen: Thread | None = thread
            while touches is not None and seen is not None:
                touches.read(("cages", seen.cage, "pending"))
                touches.read(("cages", seen.cage, "mask"))
                seen = self.threads.get(seen.serving) if seen.serving else None
            super().block(thread, status)

    def shares(self, thread: Thread) -> bool:
        """As every system; where a turn ends does not depend on it (``accesses.shared``)."""
        with _unseen(self):
            return super().shares(thread)

    def _happened(self, thread: Thread, event: RunnerEvent) -> None:
        touches = self.touches
        if touches is not None:
            if isinstance(event, WaitsOnMemory):
                touches.add(("sleepers", thread.cage, event.address))
                if event.timeout is not None:
                    touches.read(CLOCK)
            elif isinstance(event, WakesMemory):
                touches.change(("sleepers", thread.cage, event.address))
        super()._happened(thread, event)

    def pool(self, grate: int) -> Pool | None:
        """As every system; whoever asks for it leases a worker, returns one or waits."""
        if self.touches is not None:
            self.touches.read(("runtimes", grate))
            self.touches.change(("runtimes", grate))
        return super().pool(grate)

    # The end of the run: it comes to everybody.

    def end(self, outcome: Outcome) -> None:
        """As every system."""
        if self.touches is not None:
            self.touches.change(RUN)
        super().end(outcome)

    #: What the next turn is to be noted in.
    next_turn: Touches | None = None

    #: Whether it is noted that a turn looks at the clock, where nothing else is (``clock_read``).
    listens = False

    @property
    def clock_read(self) -> bool:
        """Whether a turn has looked at the clock."""
        return bool(self.kernel.__dict__.get("clock_read"))

    def forget_clock(self) -> None:
        """The next turn is the first that is listened to."""
        self.kernel.__dict__["clock_read"] = False

    def _turn(self, thread: Thread) -> None:
        touches = self.next_turn
        kernel = self.kernel
        if touches is None:
            kernel.__dict__["listening"] = self.listens
            try:
                super()._turn(thread)
            finally:
                kernel.__dict__["listening"] = False
            return
        self.touches = kernel.touches = touches  # type: ignore[attr-defined]  # a WatchedKernel
        self.watcher = self
        try:
            self._begins(touches, thread)
            super()._turn(thread)
        finally:
            self.touches = kernel.touches = self.watcher = None  # type: ignore[attr-defined]  # as above

    def _begins(self, touches: Touches, thread: Thread) -> None:
        """What every turn of ``thread`` looks at, and what it may do unseen."""
        cage = thread.cage
        touches.change(("thread", thread.key))
        touches.read(("woken", thread.key))
        touches.read(("cages", cage, "stopped"))
        touches.read(("shared", cage))
        touches.add(CLOCK)
        touches.add(RUN)
        if isinstance(thread.status, Ready):
            self._runs(touches, thread)

    def _goes_on(self, thread: Thread) -> bool:
        goes_on = super()._goes_on(thread)
        if goes_on and self.touches is not None:
            self._runs(self.touches, thread)
        return goes_on

    def _runs(self, touches: Touches, thread: Thread) -> None:
        """``thread`` runs its program: what that may do unseen."""
        cage = thread.cage
        memory = self.memories.get(cage)
        if memory is None or self.shares(thread):
            return
        if isinstance(thread.runner, PythonRunner):  # its memory is where handlers place data, each for itself
            start = SCRATCH_START + (thread.slot - 1) * SCRATCH
            changed, part = touches.places.range(MEMORY, cage, start, SCRATCH)
            touches.changes |= changed
            touches.adds |= part
            return
        touches.whole(MEMORY, cage, write=True)
        if backed(memory):
            for number in memory.backing_numbers():
                touches.whole(BACKING, number, write=True)

    def accessed(self, thread: Thread, start: int, count: int, *, write: bool) -> None:
        """An instruction of ``thread`` is about to access its memory (`accesses.Watcher`)."""
        if self.touches is not None:
            memory = self.memories[thread.cage]
            if count < 0:
                self.touches.whole(MEMORY, thread.cage, write=True)
                for number in memory.backing_numbers() if backed(memory) else ():
                    self.touches.whole(BACKING, number, write=True)
            else:
                access(self.touches, thread.cage, memory, start, count, write=write)


for _name in _SYSTEM_MAPS:
    setattr(WatchedSystem, _name, _map(_name))
WatchedSystem.drawn = _scalar("drawn", ("random",))


def watch(system: System) -> WatchedSystem:
    """Make ``system`` one that can be watched."""
    system.__class__ = WatchedSystem
    system.kernel.__class__ = WatchedKernel
    assert isinstance(system, WatchedSystem)
    system.touches = None
    system.kernel.touches = None  # type: ignore[attr-defined]  # a WatchedKernel
    return system


def watched_step(system: WatchedSystem, places: Places) -> Footprint:
    """``System.step``, and what it touched."""
    touches = Touches(places)
    pools.settle(system)
    before = Before(system)
    system.next_turn = touches
    try:
        system.step()
    finally:
        system.next_turn = None
    pools.settle(system)
    before.changed(system, touches)
    return touches.footprint()


class Before:
    """The state before a turn, as far as differences show what the turn changed."""

    def __init__(self, system: WatchedSystem) -> None:
        kernel = system.kernel
        self.cages = kernel.cages
        self.maps = {name: kernel.__dict__[name] for name in _MAPS}
        self.scalars = {name: kernel.__dict__[name] for name in _SCALARS}
        self.system_maps = {name: system.__dict__[name] for name in _SYSTEM_MAPS}
        self.tables = system.tables
        self.drawn = system.drawn
        self.threads = {
            key: (thread.status, thread.serving, thread.runner, thread.cage) for key, thread in system.threads.items()
        }

    def changed(self, system: WatchedSystem, touches: Touches) -> None:
        """Note what is different now."""
        kernel = system.kernel
        self._cages(kernel.cages, touches)
        for maps, owner in ((self.maps, kernel), (self.system_maps, system)):
            for name, old in maps.items():
                _differences(name, old, owner.__dict__[name], touches)
        for name in ("rows", "exiting", "parents", "panicked"):
            _differences(name, getattr(self.tables, name), getattr(system.tables, name), touches)
        for name, value in self.scalars.items():
            if kernel.__dict__[name] is not value:
                touches.change(("kernel", name))
        if system.drawn != self.drawn:
            touches.change(("random",))
        before, after = self.system_maps["runtimes"], system.runtimes
        if before is not after:
            for cage in before.changed(after):
                old, new = before.get(cage), after.get(cage)
                if bool(old is not None and old.workers) != bool(new is not None and new.workers):
                    touches.change(("shared", cage))
        self._threads(system, touches)

    def _cages(self, after: Any, touches: Touches) -> None:
        before = self.cages
        if before is after:
            return
        for number in before.changed(after):
            old, new = before.get(number), after.get(number)
            if old is None or new is None:
                touches.add(("cages",))
                touches.change(("cages", number))
            for field in _CAGE_FIELDS:
                if old is None or new is None or _differ(getattr(old, field), getattr(new, field)):
                    touches.change(("cages", number, field))
            if old is None or new is None or (old.next_thread > 2) != (new.next_thread > 2):
                touches.change(("shared", number))

    def _threads(self, system: WatchedSystem, touches: Touches) -> None:
        for key in {**self.threads, **system.threads}:
            old = self.threads.get(key)
            thread = system.threads.get(key)
            if old is None or thread is None:
                cage = old[3] if old is not None else thread.cage  # type: ignore[union-attr]  # one of them is there
                touches.change(("thread", key))
                touches.change(("woken", key))
                touches.change(("population", cage))
                touches.change(("serving", cage))
                if old is None:
                    touches.change(("threads",))
            else:
                if old[0] is not thread.status:
                    # One that could not run has no turn that this could come before or after.
                    touches.change(("thread" if isinstance(old[0], Ready | Retry | Calling | Forked) else "woken", key))
                if old[2] is not thread.runner:
                    touches.change(("thread", key))
                if old[1] != thread.serving:
                    touches.change(("woken", key))
                    touches.change(("serving", thread.cage))


def _differ(old: Any, new: Any) -> bool:
    return old is not new and old != new


def _differences(name: str, old: Any, new: Any, touches: Touches) -> None:
    if old is new:
        return
    for key in old.changed(new):
        touches.change((name, key))
        if (key in old) != (key in new):
            touches.add((name,))


__all__ = ["Before", "WatchedKernel", "WatchedSystem", "watch", "watched_step"]
