"""A system whose programs are what was observed: it does nothing by itself, the judge makes each call (JUDGE-2)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.conformance.oracle.why import noting, parts
from lindref.explore.watch.views import plain
from lindref.posix import processes
from lindref.posix.cage import INIT_CAGE, MAIN_THREAD
from lindref.posix.call import Arg, Call
from lindref.posix.constants import EPOCH
from lindref.posix.fs import directory
from lindref.posix.fs.records import Inode
from lindref.posix.kernel import IdKind, Kernel
from lindref.posix.result import Done, Failure, Result
from lindref.profile import Profile
from lindref.state.pmap import PMap
from lindref.state.records import record, replace
from lindref.system.choices import Chooser
from lindref.system.events import Event, Exit
from lindref.system.image import Image, Images
from lindref.system.python.records import SCRATCH, SCRATCH_START
from lindref.system.runner import Loading, RunnerEvent
from lindref.system.runtime import CageRuntime, Config
from lindref.system.system import System
from lindref.system.threads import Thread
from lindref.threei import tables
from lindref.trace.decode import Decoder
from lindref.wasm.sections import Dylink

if TYPE_CHECKING:
    from lindref.system.guests import CageGuest

#: A module with nothing in it: what stands for a program whose file was not observed.
EMPTY = b"\0asm\1\0\0\0"
#: Largest id of the cages that grates in Python have; they begin behind all that are given out.
LAST_PYTHON = 100_000


#: Numbers that nobody sees, or that are symbols (JUDGE-4): each call has its own, so that it does not matter which of
#: two came first. They begin above those of what was there before, and end below those that say what an inode is.
_OWN_NUMBERS = (IdKind.DESCRIPTION, IdKind.INODE, IdKind.PIPE, IdKind.EPOLL, IdKind.SOCKET, IdKind.MOUNT)
_FIRST_NUMBER, _A_CALL, _LAST_NUMBER = 1 << 20, 32, (1 << 31) - 32


class JudgedKernel(Kernel):
    """A kernel whose files all have the same times, which can be any (JUDGE-4): states differ in nothing by them."""

    @property
    def wall(self) -> int:
        """When everything happens."""
        return EPOCH


@record("oracle.observed")
class ObservedState:
    """A program that is known by its calls: the signal handlers that run, innermost last, and whether it serves."""

    tokens: tuple[Any, ...] = ()
    serving: bool = False


@classes.define(eq=False)
class ObservedRunner:
    """Implements ``Runner``: it waits for the judge, who makes its calls."""

    guest: CageGuest
    state: ObservedState = classes.field(factory=ObservedState)
    changed: bool = True
    ticks: int = 0

    def run(self, ticks: int) -> RunnerEvent:
        """Cannot happen: the judge makes the calls."""
        raise AssertionError(f"an observed program was run ({ticks})")

    def resume(self, value: int) -> None:
        """The event of the call's end has it."""

    def attend(self, wanted: bool) -> None:
        """Signals are delivered when they were observed."""

    def _become(self, tokens: tuple[Any, ...], *, serving: bool) -> None:
        self.state = ObservedState(tokens, serving)
        self.changed = True

    def push_handler(self, handler: int, signo: int, token: object) -> bool:
        """A signal handler begins."""
        del handler, signo
        self._become((*self.state.tokens, token), serving=self.state.serving)
        return True

    def pop_handler(self) -> Any:
        """The innermost signal handler is over: its token, ``None`` where none runs."""
        if not self.state.tokens:
            return None
        token = self.state.tokens[-1]
        self._become(self.state.tokens[:-1], serving=self.state.serving)
        return token

    def serve(self, address: int, cage: int, args: tuple[Arg, ...], target: int) -> bool:
        """Begin to serve a call; whether there is such a function shows in what comes back."""
        del address, cage, args, target
        self._become((), serving=True)
        return True

    def fork(self, guest: CageGuest) -> ObservedRunner:
        """The same in another cage."""
        return ObservedRunner(guest, self.state)

    def spawn(self, stack: int) -> ObservedRunner:
        """A further thread."""
        del stack
        return ObservedRunner(self.guest)

    def freeze(self) -> ObservedState:
        """Its state is a value already."""
        self.changed = False
        return self.state

    def where(self) -> tuple[str, ...]:
        """What runs inside is not known."""
        return ()


#: Marks the image of a static program: it is laid out like any other, by what was observed.
STATIC = Dylink()


class _Images(Images):
    """Images that are never instantiated: each is laid out by the calls that were observed."""

    def share(self) -> Images:
        """Another state's images."""
        return _Images(self.blobs, self._images, self._by_bytes, set(self._present))

    def load(self, data: bytes) -> Image:
        """The image of a module; raises ``ImageError`` for what is none."""
        image = Images.load(self, data)
        return image if image.dylink is not None else classes.evolve(image, dylink=STATIC)


class _Watch:
    """An observer that keeps the events of the step under way, calls with what they wrote."""

    def __init__(self, system: ObservedSystem) -> None:
        self.system = system

    def on_event(self, event: Event) -> None:
        """Keep ``event``."""
        system = self.system
        if isinstance(event, Exit):
            system.ended(event)
        elif event.kind not in ("enter", "choice", "note"):
            system.happened.append(event)


@classes.frozen
class Ended:
    """How the model ended a call: the event, what it wrote as shown, and all errors that held."""

    event: Exit
    shown: dict[str, str]
    failures: tuple[Failure, ...]
    #: The rules of what it did, of a call that may do several things.
    ran: tuple[str, ...] = ()


class ObservedSystem(System):
    """A system played by the judge."""

    def __init__(
        self,
        *,
        profile: Profile,
        config: Config | None = None,
        chooser: Chooser | None = None,
        engine: str = "auto",
    ) -> None:
        super().__init__(profile=profile, config=config, chooser=chooser, engine=engine)
        self.images = _Images()
        #: What happened since last asked, calls that ended apart.
        self.happened: list[Event] = []
        self.results: dict[int, Ended] = {}
        #: Calls under way: number and arguments, by the model's number of the call.
        self.made: dict[int, tuple[int, tuple[tuple[int, int], ...]]] = {}
        self.last: Result | None = None
        self.did: list[str] = []
        #: The numbers given so far by calls that gave any, by the place of the call in the trace.
        self.given: dict[int, int] = {}
        #: Cages whose program is known, and static: where their heap begins is, too.
        self.static: set[int] = set()
        self.decoder = Decoder(self.read)
        self.observers = [_Watch(self)]
        self.watch_kernel()

    def watch_kernel(self) -> None:
        """Keep what RawPOSIX says; to be asked again where the kernel is another one."""
        self.kernel.__class__ = JudgedKernel
        self.kernel.call = self.kernel_call  # type: ignore[method-assign]

    def continues(self, other: ObservedSystem) -> None:
        """Go on where ``other`` is: what belongs to no state of a system is as there."""
        self.watch_kernel()
        self.results, self.made, self.static = dict(other.results), dict(other.made), set(other.static)
        self.given = dict(other.given)

    @contextmanager
    def numbers_of(self, place: int) -> Iterator[None]:
        """The call at ``place`` among those of the trace does something: new things get numbers of its own."""
        kernel = self.kernel
        start = self.given.get(place, _FIRST_NUMBER + place * _A_CALL)
        if self.thread_count < 2 or start > _LAST_NUMBER:
            yield
            return
        before: dict[int, int] = {kind: kernel.counters.get(kind, 0) for kind in _OWN_NUMBERS}
        inodes_before = plain(kernel.inodes)
        kernel.counters = kernel.counters.update((kind, start) for kind in _OWN_NUMBERS)
        backing = kernel.backings.number_from(start + 1)
        try:
            yield
        finally:
            last = max(*(kernel.counters[kind] for kind in _OWN_NUMBERS), kernel.backings.number_from(backing) - 1)
            if last > start:
                self.given[place] = last
            kernel.counters = kernel.counters.update(before)
            self._place_names(inodes_before, start + 1)

    def _place_names(self, before: PMap[Inode], position: int) -> None:
        """New names in directories are where the call that made them says, too: who came first makes no difference."""
        kernel = self.kernel
        after = plain(kernel.inodes)
        if after is before:
            return
        for number in before.changed(after):
            old, new = before.get(number), after.get(number)
            if old is None or new is None or old.directory is None or new.directory is None or old.host is not None:
                continue
            first = old.directory.next_position
            if new.directory.next_position > first:
                held = directory.moved_to(new.directory, first, position)
                after = after.set(number, replace(new, directory=held))
        kernel.inodes = after

    def read(self, address: int, count: int) -> bytes | None:
        """Bytes at a host address, ``None`` where they cannot be read."""
        place = self.host.resolve(address)
        memory = self.memories.get(place.cage) if place is not None else None
        return memory.try_read(place.offset, count) if memory is not None and place is not None else None

    def kernel_call(self, call: Call, served: Collection[int] = ()) -> Result:
        """RawPOSIX does a call; what it said is kept, for the errors that held besides the one it reports."""
        row = self.kernel.rows.get(call.number)
        self.did = []
        if row is not None and row.handler is not None and parts(row.handler):
            with noting(row.handler, self.did):
                self.last = type(self.kernel).call(self.kernel, call, served)
        else:
            self.last = type(self.kernel).call(self.kernel, call, served)
        return self.last

    def ended(self, event: Exit) -> None:
        """A call of the model has ended."""
        number, args = self.made.pop(event.call, (0, ()))
        row = self.kernel.rows.get(number)
        shown: dict[int, str] = {}
        failures: tuple[Failure, ...] = ()
        if event.result is not None and row is not None:
            shown = self.decoder.after(row, args, event.result)
            if event.result < 0 and isinstance(self.last, Done) and self.last.value == event.result:
                failures = self.last.failures
        texts = {str(at): text for at, text in shown.items()}
        self.results[event.call] = Ended(event, texts, failures, tuple(self.did))

    # What programs are here.

    def dynamic_runner(self, cage: int, image: Image, path: bytes) -> ObservedRunner:
        """Every image is laid out by calls that were observed."""
        del path
        self.pools.pop(cage, None)
        self.runtimes = self.runtimes.set(cage, replace(self.runtimes[cage], serves=True))
        if image.dylink is STATIC and image.minimum:
            self.static.add(cage)
        else:
            self.static.discard(cage)
        return ObservedRunner(self.guest(cage))

    def preloads(self, image: Image, path: bytes) -> list[Any]:
        """Libraries are loaded by calls that were observed."""
        del image, path
        return []

    def runner_in(self, cage: int, state: Any) -> ObservedRunner:
        """A program in ``state``."""
        assert isinstance(state, ObservedState)
        runner = ObservedRunner(self.guest(cage), state)
        runner.changed = False
        return runner

    def new_worker(self, cage: int, slot: int) -> Thread:
        """A worker whose handler is known by its calls."""
        thread = self.add_thread(cage, MAIN_THREAD, ObservedRunner(self.guest(cage)))
        thread.slot = slot
        return thread

    def python_grate(self, cage: int, over: int) -> None:
        """A grate in Python comes over a cage (PY-1): it has a cage of its own, and some memory."""
        processes.stand_in(self.kernel, cage)
        self.tables = tables.put_over(self.tables, cage, over)
        self.runtimes = self.runtimes.set(cage, CageRuntime(cage, "", (), (), serves=True))
        self.new_memory(cage)
        values = (SCRATCH_START, SCRATCH * self.config.workers, 3, 0x32, (1 << 64) - 1, 0)
        self.kernel.call(Call(9, cage, MAIN_THREAD, tuple(Arg(value, cage) for value in values)))

    def begin_bare(self) -> Thread:
        """Cage 1 with a program whose loading was not observed."""
        thread = self.first_cage(Loading())
        thread.runner = ObservedRunner(self.guest(INIT_CAGE))
        self.runtimes = self.runtimes.set(INIT_CAGE, CageRuntime(INIT_CAGE, "", (), (), serves=True))
        return thread
