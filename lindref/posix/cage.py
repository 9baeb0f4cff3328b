"""The records of cages: who they are, what they map, how they take signals, what they left behind."""

from __future__ import annotations

from typing import Any

from lindref import classes
from lindref.state.pmap import PMap
from lindref.state.records import record

#: The cage that boot makes; its own parent.
INIT_CAGE = 1

#: Thread that a cage starts with.
MAIN_THREAD = 1


@record("posix.sigaction")
class SigAction:
    """What a cage does with a signal. ``handler``: 0 default, 1 ignore, else a function-table index; ``mask``: signals
    blocked while it runs; ``flags``: SA_ bits, unsigned.
    """

    handler: int = 0
    mask: int = 0
    flags: int = 0


@record("posix.zombie")
class Zombie:
    """A child that ended and was not waited for: its id and its status as wait reports it."""

    cage: int
    status: int


@record("posix.itimer")
class IntervalTimer:
    """An interval timer of a cage. ``expires``: virtual time in ns, None when disarmed; ``period``: ns, 0 for one shot;
    ``value`` and ``interval``: (seconds, microseconds) as last programmed.
    """

    expires: int | None = None
    period: int = 0
    value: tuple[int, int] = (0, 0)
    interval: tuple[int, int] = (0, 0)


@record("posix.mapping")
class Mapping:
    """Some pages of a cage's address space that one call mapped (an entry of the vmmap).

    ``first``, ``count``: the pages it covers now. ``said_first``, ``said_count``: the pages it says it covers, which
    after a split may still be those of the whole (deviation ``MEM-STALE``). ``max_prot``: what mprotect may allow.
    ``flags``: MAP_ bits. ``backing``: number of the shared page
    store, None for private anonymous memory; ``backing_page``: the store's page at ``first``; ``inode``: the file it
    belongs to, None for shared anonymous memory. ``segment``: SysV shared memory id, or None.
    """

    first: int
    count: int
    prot: int
    flags: int
    backing: int | None = None
    backing_page: int = 0
    said_first: int = -1
    said_count: int = -1
    inode: int | None = None
    segment: int | None = None
    max_prot: int = 7

    @property
    def end(self) -> int:
        """The page after the last."""
        return self.first + self.count


@record("posix.cage", version=3)
class Cage:
    """One cage. Descriptors are `FdEntry` by number; ``cwd`` is an absolute path, ``cwd_inode`` the directory
    itself.
    """

    id: int
    parent: int
    # Files.
    cwd: bytes = b"/"
    cwd_inode: int = 0
    umask: int = 0o022
    fds: PMap[Any] = classes.field(factory=PMap)
    # Memory: mappings by first page; the break lies between heap_start and brk, in bytes.
    vmmap: PMap[Mapping] = classes.field(factory=PMap)
    heap_start: int = 0
    brk: int = 0
    # The mapping that a check of the map found last (deviation ``MEM-CHECK-CACHE``).
    checked: Mapping | None = None
    # Signals: one mask for all threads; pending in order of arrival.
    actions: PMap[SigAction] = classes.field(factory=PMap)
    mask: int = 0
    pending: tuple[int, ...] = ()
    # Whether something has asked the main thread to look at them (deviation ``SIG-TRIGGER``), and the mask to come
    # back when what interrupted a call with a mask of its own has been taken (POLL-6).
    triggered: bool = False
    parked_mask: int | None = None
    timers: PMap[IntervalTimer] = classes.field(factory=PMap)
    # Job control: whether stopped, and the wait status of the last stop or go that the parent was not told (0: none).
    stopped: bool = False
    report: int = 0
    # Threads: ids of those alive; the one that takes signals.
    threads: tuple[int, ...] = (MAIN_THREAD,)
    main_thread: int = MAIN_THREAD
    next_thread: int = MAIN_THREAD + 1
    # Family: children not yet ended, and those ended, oldest first; whether nobody waits for this one any more.
    children: int = 0
    zombies: tuple[Zombie, ...] = ()
    orphan: bool = False
    # End: the wait status once decided, and what the first thread gave to exit(60).
    status: int | None = None
    exit_code: int = 0
    # Image: its path, arguments and environment at launch.
    exe: bytes = b""
    argv: tuple[bytes, ...] = ()
    env: tuple[bytes, ...] = ()
    # Limits that were set: by resource, the present one and the largest (`posix.limits`).
    limits: PMap[tuple[int, int]] = classes.field(factory=PMap)
