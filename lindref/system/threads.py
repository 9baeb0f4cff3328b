"""Threads as the scheduler sees them: what one runs, and what it waits for.

A thread is either one of a cage's own (main or made by clone) or a *worker* of a grate, which serves calls of others.
Statuses are records: a thread's whole state freezes into ``ThreadState``.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from lindref.posix.call import Arg
from lindref.posix.result import WaitKey
from lindref.state.records import adopt, record
from lindref.system.abi import SyscallRequest
from lindref.system.runner import Runner, RunnerState

if TYPE_CHECKING:
    from lindref.system.roster import Roster

adopt("system.syscall-request", SyscallRequest)


@record("system.image-request")
class ImageRequest:
    """A new image that a thread is to run: the module's bytes, where it came from, and what it is given."""

    path: bytes
    image: bytes
    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]


@record("system.pending", version=3)
class Pending:
    """A call on its way: as it was made, and what is to happen when its result is there.

    ``id`` numbers the call in the events. ``memo`` is what its last wait left. ``within`` is the call that the calling
    worker serves. ``then`` says who gets the result: ``"guest"``, ``"load"`` for the mapping that the loader asked
    for, ``"attach"`` for a registration of a grate in Python (``memo`` has the rest), ``"returned"`` for the end of a
    program that has returned. ``child`` is the cage forked on
    behalf of this call through a grate, 0 if none; ``image`` the image exec'd and ``ended`` an end asked for on its
    behalf, both to take effect when the call returns, as ``traps``, the trap that is met then, if any.
    ``deaf``: the signals that are there came too early to wake it (SIG-8, deviation ``SIG-LOST``).
    """

    id: int
    number: int
    name: str
    caller: int
    target: int
    args: tuple[Arg, ...]
    memo: Any = None
    within: int = 0
    then: str = "guest"
    child: int = 0
    image: ImageRequest | None = None
    ended: bool = False
    traps: str = ""
    deaf: bool = False


@record("system.ready")
class Ready:
    """Can run."""

    runnable: ClassVar[bool] = True
    deadline: ClassVar[int | None] = None


@record("system.retry")
class Retry:
    """Can run: the first thing it does is to try its call again."""

    runnable: ClassVar[bool] = True
    deadline: ClassVar[int | None] = None

    pending: Pending
    timed_out: bool = False
    interrupted: bool = False


@record("system.calling")
class Calling:
    """Can run: the first thing it does is to make the call that it stands before, or, without one, to return ``value``
    from what it runs. Only runs that are to be explored have it (SCHED-7)."""

    runnable: ClassVar[bool] = True
    deadline: ClassVar[int | None] = None

    request: SyscallRequest | None
    value: int = 0


@record("system.forked")
class Forked:
    """Can run: the first thing it does is to take ``value``, what the real runtime keeps for it as the result of its
    fork, and go on (FORK-6)."""

    runnable: ClassVar[bool] = True
    deadline: ClassVar[int | None] = None

    pending: Pending
    value: int


@record("system.blocked")
class Blocked:
    """Waits in RawPOSIX for one of ``keys``, for virtual time ``deadline`` or a signal. ``why`` is for people."""

    runnable: ClassVar[bool] = False

    pending: Pending
    keys: tuple[WaitKey, ...]
    deadline: int | None
    why: str
    interruptible: bool


@record("system.in-grate")
class InGrate:
    """Waits for worker ``worker`` (a thread key) of ``grate`` to serve its call."""

    runnable: ClassVar[bool] = False
    deadline: ClassVar[int | None] = None

    pending: Pending
    grate: int
    worker: int


@record("system.queued")
class Queued:
    """Waits for a free worker of ``grate``, to call its function ``address``."""

    runnable: ClassVar[bool] = False
    deadline: ClassVar[int | None] = None

    pending: Pending
    grate: int
    address: int


@record("system.atomic-blocked")
class AtomicBlocked:
    """Waits in ``memory.atomic.wait`` at ``address`` of its cage's memory."""

    runnable: ClassVar[bool] = False

    address: int
    deadline: int | None


@record("system.idle")
class Idle:
    """A worker without a call."""

    runnable: ClassVar[bool] = False
    deadline: ClassVar[int | None] = None


@record("system.lost")
class Lost:
    """Gone with the host's thread that ran it, in which 3i panicked: it never runs again, and never ends. ``text`` says
    why (3i.md 2.9)."""

    runnable: ClassVar[bool] = False
    deadline: ClassVar[int | None] = None

    text: str


#: The only ones there need be.
READY, IDLE = Ready(), Idle()

Status = Ready | Retry | Calling | Forked | Blocked | InGrate | Queued | AtomicBlocked | Lost | Idle


@record("system.signal-barrier", version=2)
class SignalBarrier:
    """What a signal handler's frame remembers: the mask to restore, what the thread was doing, and how often its cage
    had forked (deviation ``FORK-IN-HANDLER``)."""

    signo: int
    saved_mask: int
    resume: Status
    forks: int = 0


@record("system.thread")
class ThreadState:
    """A thread, frozen."""

    key: int
    cage: int
    tid: int
    slot: int
    serving: int
    status: Status
    runner: RunnerState


class Thread:
    """A live thread. ``key`` numbers threads over the whole run; ``slot`` is a worker's stack slot (0: no worker);
    ``serving`` is the key of the thread whose call a worker serves (0: none). ``roster`` is told of each new status.
    """

    def __init__(
        self, key: int, cage: int, tid: int, runner: Runner, status: Status, slot: int = 0, serving: int = 0
    ) -> None:
        self.key = key
        self.cage = cage
        self.tid = tid
        self.runner = runner
        self.slot = slot
        self.serving = serving
        self.roster: Roster | None = None
        self.frozen: ThreadState | None = None
        self._status = status

    def _set_status(self, status: Status) -> None:
        old = self._status
        self._status = status
        if self.roster is not None:
            self.roster.moved(self, old, status)

    #: Read more often than anything else of a thread: by a getter in C.
    status: Status = property(attrgetter("_status"), _set_status)  # type: ignore[assignment]  # what it gives

    @property
    def runnable(self) -> bool:
        """Whether the scheduler may pick it."""
        return self.status.runnable

    def freeze(self) -> ThreadState:
        """Its state as a value, made anew only if it ran or its status changed since."""
        old = self.frozen
        if old is None or old.status is not self.status or old.serving != self.serving or self.runner.changed:
            state = self.runner.freeze()
            self.frozen = ThreadState(self.key, self.cage, self.tid, self.slot, self.serving, self.status, state)
        assert self.frozen is not None
        return self.frozen
