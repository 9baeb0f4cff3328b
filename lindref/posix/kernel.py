"""The kernel: all of RawPOSIX's state in one object, and the way calls enter it.

State lives in persistent maps of frozen records; a change replaces a record, so `Kernel.freeze` only collects the
fields. Subjects (`posix.memory`, `posix.signals`, ...) are functions that take the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Mapping as MappingABC
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lindref import classes
from lindref.posix.cage import Cage
from lindref.posix.call import Call, i32
from lindref.posix.constants import EPOCH
from lindref.posix.errno import ENOSYS
from lindref.posix.errors import fail
from lindref.posix.outside import Outside
from lindref.posix.params import CallRow
from lindref.posix.result import Done, Refused, Result, RuntimeFault, WaitKey
from lindref.profile import Profile
from lindref.state.pmap import PMap
from lindref.state.records import record, replace
from lindref.vm.pages import Backings

if TYPE_CHECKING:
    from lindref.vm.limits import Budget
    from lindref.vm.memory import Memory


T = TypeVar("T")


class ChoiceKind(Enum):
    """What may go either way inside RawPOSIX; option 0 is always the plain one."""

    #: Which waiter a futex wake takes next (option 0: the oldest).
    FUTEX_WAKE = "futex-wake"
    #: Which pending signal is delivered first (option 0: as the profile documents).
    SIGNAL = "signal"
    #: Which zombie a wait for any child takes (option 0: the oldest).
    ZOMBIE = "zombie"
    #: How much of a transfer is done at once (option 0: all of it).
    TRANSFER = "transfer"
    #: Which of several descriptors that share a host descriptor poll and select report (option 0: the last).
    TWIN = "twin"


class IdKind(IntEnum):
    """The counters that numbers of new things come from; the first number of each is 1."""

    CAGE = 1
    DESCRIPTION = 2
    INODE = 3
    PIPE = 4
    FUTEX_TICKET = 5
    EPOLL = 6
    SOCKET = 7
    SEGMENT = 8
    MOUNT = 9


@record("posix.address")
class Address:
    """A place in a cage's linear memory."""

    cage: int
    offset: int


class Host(Protocol):
    """What the kernel needs from the system around it."""

    @property
    def profile(self) -> Profile:
        """The profile in force."""

    def choose(self, kind: ChoiceKind, options: int) -> int:
        """One of ``options`` (at least 1) ways, as a number from 0."""

    def memory(self, cage: int) -> Memory | None:
        """The linear memory of a cage; None when there is no such cage (any more)."""

    def base(self, cage: int) -> int:
        """The model address of byte 0 of the cage's memory: different for every cage, 4 GiB apart or more."""

    def resolve(self, address: int) -> Address | None:
        """The place that a 64-bit host address means, or None. Whether it is mapped is not looked at."""

    def random_bytes(self, count: int) -> bytes:
        """``count`` bytes from the seeded source."""

    def warn(self, text: str) -> None:
        """Tell the person running this, once a text."""


@record("posix.identity")
class Identity:
    """Who the cages are to the outside: ids of the one host process, and the host's name."""

    uid: int = 0
    gid: int = 0
    hostname: bytes = b"lind"


@classes.frozen
class Hooks:
    """What a subject does when cages come and go. Each function gets the kernel and cage ids.

    ``boot(kernel, cage)``: the first cage was made. ``fork(kernel, parent, child)``: the child's record is a copy of
    the parent's with its own id. ``execed(kernel, cage)``: a new image is in. ``ended(kernel, cage)``: the last thread
    is gone; the record is removed afterwards.
    """

    boot: Callable[[Kernel, int], None] | None = None
    fork: Callable[[Kernel, int, int], None] | None = None
    execed: Callable[[Kernel, int], None] | None = None
    ended: Callable[[Kernel, int], None] | None = None


@record("posix.kernel", version=2)
class KernelState:
    """All of RawPOSIX's state as one value."""

    now: int
    identity: Identity
    counters: PMap[int]
    cages: PMap[Cage]
    descriptions: PMap[Any]
    inodes: PMap[Any]
    pipes: PMap[Any]
    epolls: PMap[Any]
    locks: PMap[Any]
    sockets: PMap[Any]
    segments: PMap[Any]
    mounts: PMap[Any]
    consoles: PMap[Any]
    futexes: PMap[Any]
    shares: PMap[int]
    gates: PMap[Any]
    heard: int
    host_cwd: int
    backings: Any
    warned: frozenset[int]


#: Fields that are the same attribute of `Kernel` and `KernelState`.
_PLAIN = tuple(name for name in KernelState.__annotations__ if name != "backings")


class Kernel:
    """The live kernel. Attributes are the fields of `KernelState`; assign new maps, never change one.

    ``rows`` is the call table by number, ``hooks`` what subjects want to know (both from `posix.table`).
    ``backings`` holds the contents of files and shared memory, counted by ``budget``.
    """

    def __init__(
        self,
        host: Host,
        rows: MappingABC[int, CallRow],
        hooks: tuple[Hooks, ...] = (),
        budget: Budget | None = None,
    ) -> None:
        self._budget = budget
        self.host = host
        self.profile = host.profile
        self.rows = rows
        self.hooks = hooks
        self.now = 0
        self.identity = Identity()
        self.counters: PMap[int] = PMap()
        self.cages: PMap[Cage] = PMap()
        self.descriptions: PMap[Any] = PMap()
        self.inodes: PMap[Any] = PMap()
        self.pipes: PMap[Any] = PMap()
        self.epolls: PMap[Any] = PMap()
        self.locks: PMap[Any] = PMap()
        self.sockets: PMap[Any] = PMap()
        self.segments: PMap[Any] = PMap()
        self.mounts: PMap[Any] = PMap()
        self.consoles: PMap[Any] = PMap()
        self.futexes: PMap[Any] = PMap()
        self.shares: PMap[int] = PMap()
        #: What of the network is joined to the host's (`posix.net.gate`), by handle.
        self.gates: PMap[Any] = PMap()
        #: Questions asked of the outside so far.
        self.heard = 0
        #: How far the network goes: "" (inside the run), "loopback" or "any" (the host's).
        self.network = ""
        #: Is told (what, index, answer) whenever something comes in; no part of the state.
        self.told: Callable[[str, int, Any], None] | None = None
        #: Inode of the working directory of the one host process: what chdir of any cage last set (HOST-CWD).
        self.host_cwd = 0
        self.backings = Backings(budget)
        self.warned: frozenset[int] = frozenset()
        #: Wait keys that changed since `changed` was last asked.
        self.touched: dict[WaitKey, None] = {}
        #: The call that is being done, and who made the calls that it serves; no part of the state.
        self.serving: Call | None = None
        self.served: Collection[int] = ()
        #: When the next timer goes off, as `timers` knows it; no part of the state.
        self.alarm: int | None = None
        self.alarm_known = False
        #: The cages in which signals wait, and some in which they did; no part of the state.
        self.signalled: set[int] = set()
        #: Live connections to what is outside the run; no part of its state.
        self.outside = Outside()

    # Calls.

    def call(self, call: Call, served: Collection[int] = ()) -> Result:
        """Do ``call``, or try it again. Never raises for what a guest does. A `Done` value is a signed 32-bit
        number. ``served``: where a grate makes it, the cages that made the calls it serves.
        """
        row = self.rows.get(call.number)
        if row is None or row.handler is None:
            return self._unbuilt(call.number, row)
        self.serving, self.served = call, served
        try:
            result = row.handler(self, call)
        except Refused as refusal:
            result = refusal.result
        finally:
            self.serving, self.served = None, ()
        if isinstance(result, Done) and not -0x80000000 <= result.value < 0x80000000:
            return classes.evolve(result, value=i32(result.value))  # the gate returns an i32 (rawposix.md 0)
        return result

    def reaches(self, cage: int) -> bool:
        """Whether the call that is being done may touch the memory of ``cage``: it makes the call or one that this one
        serves, is acted upon or owns an argument (ABI-8, deviation PTR-FLAT).
        """
        call = self.serving
        if call is None or cage in (call.target, call.caller) or cage in self.served:
            return True
        return any(arg.cage == cage for arg in call.args) or self.profile.has("PTR-FLAT")

    def abandon(self, call: Call) -> None:
        """A call that waits (with the memo of its last `Wait`) will not be tried again: its thread died."""
        row = self.rows.get(call.number)
        if row is not None and row.abandon is not None:
            row.abandon(self, call)

    def _unbuilt(self, number: int, row: CallRow | None) -> Result:
        """The answer for a call that nothing here does (CALL-UNKNOWN)."""
        name = row.name if row is not None else f"call {number}"
        if self.profile.has("CALL-UNKNOWN"):
            return RuntimeFault(f"{name} ({number}) is not built", "CALL-UNKNOWN", code=101)
        if number not in self.warned:
            self.warned |= {number}
            self.warn(f"{name} ({number}) is not built: it fails with ENOSYS")
        return fail(ENOSYS, "CALL-1")

    # What the system gives.

    def choose(self, kind: ChoiceKind, options: int) -> int:
        """One of ``options`` ways; 0 at once when there is only one."""
        return self.host.choose(kind, options) if options > 1 else 0

    def warn(self, text: str) -> None:
        """Tell the person running this."""
        self.host.warn(text)

    def ask(self, what: str, question: Callable[[], T], nothing: T) -> T:
        """Ask the outside something, or tell it something; ``nothing`` is the usual answer (`Outside.ask`)."""
        index = self.heard
        self.heard += 1
        answer = self.outside.ask(index, what, question, nothing)
        if answer != nothing and self.told is not None:
            self.told(what, index, answer)
        return answer

    @property
    def wall(self) -> int:
        """The time that the wall clock shows, ns since 1970: what files are stamped with (TIME-1)."""
        return EPOCH + self.now

    # Changes that waiting calls care about.

    def touch(self, kind: str, number: int) -> None:
        """Note that the thing (``kind`` of `Key`, ``number``) changed, so that calls waiting for it are tried again."""
        self.touched[WaitKey(kind, number)] = None

    def changed(self) -> tuple[WaitKey, ...]:
        """What changed since last asked, each once, in order of first change; forgets it."""
        if not self.touched:
            return ()
        keys = tuple(self.touched)
        self.touched.clear()
        return keys

    # Records.

    def cage(self, number: int) -> Cage:
        """The record of cage ``number``; in profile ``lind`` the lookup of one that does not exist ends the host
        (CAGE-MISSING), in ``spec`` the call fails with ESRCH (CAGE-1).
        """
        cage = self.cages.get(number)
        if cage is None:
            if self.profile.has("CAGE-MISSING"):
                raise Refused(RuntimeFault(f"no cage {number}", "CAGE-MISSING"))
            raise Refused(fail(3, "CAGE-1"))
        return cage

    def update(self, number: int, **changes: Any) -> Cage:
        """Replace fields of the record of cage ``number``, which exists; returns the new record."""
        cage = replace(self.cages[number], **changes)
        self.cages = self.cages.set(number, cage)
        if cage.pending or cage.triggered:
            self.signalled.add(number)
        return cage

    def new_id(self, kind: IdKind) -> int:
        """The next number of ``kind``: 1, 2, 3, ..., never given twice."""
        number = (self.counters.get(kind) or 0) + 1
        self.counters = self.counters.set(kind, number)
        return number

    # The whole.

    def freeze(self) -> KernelState:
        """All state as a value."""
        return KernelState(backings=self.backings.freeze(), **{name: getattr(self, name) for name in _PLAIN})

    def restore(self, state: KernelState) -> None:
        """Make ``state`` the state of this kernel."""
        for name in _PLAIN:
            setattr(self, name, getattr(state, name))
        self.backings = Backings.thaw(state.backings, self._budget)
        self.touched.clear()
        self.alarm_known = False
        self.signalled = {number for number, cage in self.cages.items() if cage.pending or cage.triggered}
