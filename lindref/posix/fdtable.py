"""Descriptor tables: small numbers of a cage that refer to open file descriptions.

Tables live in the cages' records (``Cage.fds``). A descriptor argument is looked up in the table of the cage beside
it (FD-1).
"""

from __future__ import annotations

from lindref import classes
from lindref.posix import limits, locks, openfile
from lindref.posix.call import Call
from lindref.posix.constants import FD_MAX
from lindref.posix.errno import EBADF
from lindref.posix.errors import fail
from lindref.posix.kernel import IdKind, Kernel
from lindref.posix.openfile import OpenFile
from lindref.posix.result import Refused
from lindref.state.records import record, replace


@record("posix.fd")
class FdEntry:
    """One descriptor. ``description``: what it refers to; ``cloexec``: whether exec closes it; ``under``: which
    descriptor of the host process stands behind it in the real system: dup makes a new one, dup2, F_DUPFD and fork
    share it (POLL-TWINS).
    """

    description: int
    cloexec: bool = False
    under: int = 0


@classes.frozen
class Opened:
    """A descriptor argument that was looked up: its number, its entry, the description's number and record."""

    fd: int
    entry: FdEntry
    number: int
    file: OpenFile


def find(kernel: Kernel, cage: int, fd: int) -> Opened | None:
    """What descriptor ``fd`` of ``cage`` refers to; None when it is not open or out of range (FD-1)."""
    if not 0 <= fd < FD_MAX:
        return None
    entry: FdEntry | None = kernel.cage(cage).fds.get(fd)
    if entry is None:
        return None
    return Opened(fd, entry, entry.description, openfile.get(kernel, entry.description))


def argument(kernel: Kernel, call: Call, slot: int) -> Opened | None:
    """What the descriptor in argument ``slot`` refers to, or None."""
    return find(kernel, call.cage(slot), call.i64(slot))


def require(kernel: Kernel, call: Call, slot: int, *, path: bool = False) -> Opened:
    """What the descriptor in argument ``slot`` refers to; EBADF when it is not open (FD-1), or was opened with O_PATH
    and the call does not take such ones (``path``; FD-8).
    """
    found = argument(kernel, call, slot)
    if found is None:
        raise Refused(fail(EBADF, "FD-1"))
    if found.file.kind == "path" and not path:
        raise Refused(fail(EBADF, "FD-8"))
    return found


def lowest_free(kernel: Kernel, cage: int, start: int = 0) -> int | None:
    """The lowest number at or above ``start`` that is not open; None when there is none (FD-2)."""
    held = kernel.cage(cage)
    free = start
    for fd in held.fds.keys(start):
        if fd != free:
            break
        free += 1
    return free if free < limits.descriptors(held) else None


def free_count(kernel: Kernel, cage: int) -> int:
    """How many numbers are free."""
    held = kernel.cage(cage)
    most = limits.descriptors(held)
    return most - sum(1 for fd in held.fds if fd < most)


def install(
    kernel: Kernel, cage: int, fd: int, description: int, *, cloexec: bool = False, under: int | None = None
) -> int:
    """Make the free number ``fd`` refer to ``description``; returns ``fd``."""
    openfile.retain(kernel, description)
    shared = kernel.new_id(IdKind.DESCRIPTION) if under is None else under
    entry = FdEntry(description, cloexec, shared)
    kernel.update(cage, fds=kernel.cages[cage].fds.set(fd, entry))
    return fd


def remove(kernel: Kernel, cage: int, fd: int) -> None:
    """Close the open descriptor ``fd`` (FD-4)."""
    held = kernel.cages[cage]
    entry: FdEntry = held.fds[fd]
    kernel.update(cage, fds=held.fds.remove(fd))
    file = openfile.get(kernel, entry.description)
    key = lock_key(entry.description, file)
    if key in kernel.locks:
        locks.closed(kernel, key, lock_owner(kernel, cage))
        if file.refs == 1:
            locks.ended(kernel, key, entry.description)
    openfile.release(kernel, entry.description)


def lock_key(number: int, file: OpenFile) -> int:
    """The number under which locks on what ``file`` refers to are kept: the inode, or for what has none a number made
    from the description's.
    """
    return file.inode or number | 1 << 62


def lock_owner(kernel: Kernel, cage: int) -> int:
    """Who owns record locks: the cage; in profile ``lind`` all cages are one process (LOCK-HOST)."""
    return 0 if kernel.profile.has("LOCK-HOST") else cage


def set_cloexec(kernel: Kernel, cage: int, fd: int, *, on: bool) -> None:
    """Set or clear close-on-exec of the open descriptor ``fd`` (FD-6)."""
    held = kernel.cages[cage]
    entry = replace(held.fds[fd], cloexec=on)
    kernel.update(cage, fds=held.fds.set(fd, entry))
