"""fcntl and flock: flags of descriptors and descriptions, owners, pipe sizes, locks.

Rules FCNTL-1 to FCNTL-6 and LOCK-1 to LOCK-7 in spec/descriptors.md.
"""

from __future__ import annotations

from lindref.posix import fdtable, limits, locks, openfile, pipes
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.errno import EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EMFILE, EOVERFLOW, EPERM, ESRCH
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.fdtable import Opened
from lindref.posix.fs import access, inodes
from lindref.posix.fs.numbers import O_APPEND, O_ASYNC, O_DIRECT, O_NOATIME, O_NONBLOCK
from lindref.posix.kernel import Kernel
from lindref.posix.locks import F_RDLCK, F_UNLCK, F_WRLCK, FOREVER, Lock
from lindref.posix.params import CallRow, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result, Wait
from lindref.posix.structs import FLOCK

F_DUPFD = 0
F_GETFD = 1
F_SETFD = 2
F_GETFL = 3
F_SETFL = 4
F_GETLK = 5
F_SETLK = 6
F_SETLKW = 7
F_SETOWN = 8
F_GETOWN = 9
F_OFD_GETLK = 36
F_OFD_SETLK = 37
F_OFD_SETLKW = 38
F_GETLEASE = 1025
F_DUPFD_CLOEXEC = 1030
F_SETPIPE_SZ = 1031
F_GETPIPE_SZ = 1032

#: Status flags that F_SETFL changes (FCNTL-3).
_SETTABLE = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME

#: Commands that descriptors opened with O_PATH know (FD-8).
_FOR_PATHS = frozenset({F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL})

_LOCKING = frozenset({F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW})

#: What the recorded implementation answers to F_GETOWN, whatever the descriptor (FCNTL-OWN).
_RECORDED_OWNER = 1000

LOCK_SH = 1
LOCK_EX = 2
LOCK_NB = 4
LOCK_UN = 8
LOCK_MAND = 32


def fcntl(kernel: Kernel, call: Call) -> Result:
    """Do one of many things to a descriptor (FCNTL-1). Ints come in argument 2, pointers in argument 3."""
    # Arguments.
    command, number = call.i32(1), call.i32(2)
    found = fdtable.argument(kernel, call, 0)
    # Errors.
    if kernel.profile.has("FCNTL-OWN"):
        if command == F_GETOWN:
            return Done(_RECORDED_OWNER)
        if command == F_SETOWN and number >= 0:
            return Done(0)
    if found is None or (found.file.kind == "path" and command not in _FOR_PATHS):
        return fail(EBADF, "FD-1")
    # Effect and result.
    if command in (F_DUPFD, F_DUPFD_CLOEXEC):
        return _dup_from(kernel, call, found, call.i32(2), cloexec=command == F_DUPFD_CLOEXEC)
    if command in (F_GETFD, F_SETFD):
        return _close_on_exec(kernel, call, found, number if command == F_SETFD else None)
    if command == F_GETFL:
        return _status(found)
    if command == F_SETFL:
        return _set_status(kernel, found, number)
    if command in _LOCKING:
        return _record_lock(kernel, call, found, command)
    return _rare(kernel, found, command, number)


def _close_on_exec(kernel: Kernel, call: Call, found: Opened, flags: int | None) -> Result:
    """Whether exec closes the descriptor, or that it shall or shall not (FCNTL-6)."""
    if flags is None:
        return Done(int(found.entry.cloexec))
    on = bool(flags) if kernel.profile.has("SETFD-ANY") else bool(flags & 1)
    fdtable.set_cloexec(kernel, call.cage(0), found.fd, on=on)
    return Done(0)


def _rare(kernel: Kernel, found: Opened, command: int, number: int) -> Result:
    """Owners, pipe sizes, leases; EINVAL for what is not known (FCNTL-1, FCNTL-4, FCNTL-5)."""
    if command == F_GETOWN:
        return Done(found.file.owner)
    if command == F_SETOWN:
        if abs(number) not in kernel.cages and number:
            return fail(ESRCH, "FCNTL-4")
        openfile.change(kernel, found.number, owner=number)
        return Done(0)
    if command == F_GETPIPE_SZ and found.file.kind == "console":
        return Done(pipes.CAPACITY)
    if command in (F_GETPIPE_SZ, F_SETPIPE_SZ):
        if found.file.kind != "pipe":
            return fail(EBADF, "FCNTL-5")
        if command == F_SETPIPE_SZ:
            return Done(pipes.resize(kernel, found.file.object, number & 0xFFFFFFFF))
        return Done(pipes.get(kernel, found.file.object).capacity)
    if command == F_GETLEASE and found.file.kind == "file":
        return Done(F_UNLCK)
    return fail(EINVAL, "FCNTL-1")


def _dup_from(kernel: Kernel, call: Call, found: Opened, start: int, *, cloexec: bool) -> Result:
    """A second descriptor with the lowest free number from ``start`` on (FCNTL-2)."""
    owner = call.target
    in_range = 0 <= start < limits.descriptors(kernel.cage(owner))
    free = fdtable.lowest_free(kernel, owner, start) if in_range else None
    if free is None:
        if kernel.profile.has("DUPFD-EBADF"):
            return fail(EBADF, "FCNTL-2")
        return fail(EMFILE if in_range else EINVAL, "FCNTL-2")
    return Done(fdtable.install(kernel, owner, free, found.number, cloexec=cloexec, under=found.entry.under))


def _status(found: Opened) -> Result:
    """F_GETFL: access mode and status flags (FCNTL-3)."""
    return Done(found.file.flags)


def _set_status(kernel: Kernel, found: Opened, wanted: int) -> Result:
    """F_SETFL: access mode and creation flags are passed over (FCNTL-3)."""
    file = found.file
    settable = _SETTABLE if file.kind in ("file", "directory", "device") else _SETTABLE | O_ASYNC
    if wanted & ~file.flags & O_NOATIME and file.inode and not access.owns(kernel, inodes.get(kernel, file.inode)):
        return fail(EPERM, "FCNTL-3")
    openfile.change(kernel, found.number, flags=file.flags & ~settable | wanted & settable)
    return Done(0)


# Record locks.


def _record_lock(kernel: Kernel, call: Call, found: Opened, command: int) -> Result:
    """Ask for, take or give back a lock on some bytes (LOCK-1 to LOCK-6)."""
    # Arguments.
    address = call.value(3)
    by_description = command in (F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW)
    if by_description and kernel.profile.has("OFD-EFAULT"):
        return fail(EFAULT, "LOCK-5")
    data = user.copy_in(kernel, address, FLOCK.size)
    if data is None:
        return fail(EFAULT, "LOCK-5")
    fields = FLOCK.unpack(data)
    kind = fields["l_type"]
    owner = found.number if by_description else fdtable.lock_owner(kernel, call.target)
    start, end = _range(kernel, found, fields)
    wanted = Lock(owner, kind == F_WRLCK, start, end, by_description)
    # Errors.
    errors = ErrorSet()
    errors.add(kind not in (F_RDLCK, F_WRLCK, F_UNLCK), EINVAL, "LOCK-5")
    errors.add(by_description and fields["l_pid"] != 0, EINVAL, "LOCK-4")
    asks = command in (F_GETLK, F_OFD_GETLK)
    errors.add(asks and kind == F_UNLCK, EINVAL, "LOCK-5")
    errors.add(not asks and kind == F_RDLCK and not found.file.reads, EBADF, "LOCK-5")
    errors.add(not asks and kind == F_WRLCK and not found.file.writes, EBADF, "LOCK-5")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect and result.
    key = fdtable.lock_key(found.number, found.file)
    if asks:
        return _ask(kernel, address, key, wanted, fields)
    if kind == F_UNLCK:
        locks.take(kernel, key, wanted)
        return Done(0)
    if locks.blocker(kernel, key, wanted) is not None:
        waits = command in (F_SETLKW, F_OFD_SETLKW)
        return _lock_wait(call, key) if waits else fail(EAGAIN, "LOCK-1")
    locks.put(kernel, key, wanted)
    return Done(0)


def _range(kernel: Kernel, found: Opened, fields: dict[str, int]) -> tuple[int, int]:
    """The bytes that a flock structure means: a length of 0 is "to the end", a negative one lies before the start
    (LOCK-5).
    """
    size = inodes.get(kernel, found.file.inode).size if found.file.inode else 0
    bases = {0: 0, 1: found.file.offset, 2: size}
    if fields["l_whence"] not in bases:
        raise Refused(fail(EINVAL, "LOCK-5"))
    start = bases[fields["l_whence"]] + fields["l_start"]
    length = fields["l_len"]
    end = FOREVER if length == 0 else start + length
    if length < 0:
        start, end = end, start
    if start < 0:
        raise Refused(fail(EINVAL, "LOCK-5"))
    if end > FOREVER:
        raise Refused(fail(EOVERFLOW, "LOCK-5"))
    return start, end


def _ask(kernel: Kernel, address: int, key: int, wanted: Lock, fields: dict[str, int]) -> Result:
    """F_GETLK: the lock in the way, or only that there is none (LOCK-6)."""
    held = locks.blocker(kernel, key, wanted)
    if held is None:
        fields["l_type"] = F_UNLCK
    else:
        fields |= {
            "l_type": F_WRLCK if held.exclusive else F_RDLCK,
            "l_whence": 0,
            "l_start": held.start,
            "l_len": 0 if held.end == FOREVER else held.end - held.start,
            "l_pid": -1 if held.by_description else held.owner,
        }
    return Done(0) if user.copy_out(kernel, address, FLOCK.pack(**fields)) else fail(EFAULT, "LOCK-5")


def _lock_wait(call: Call, key: int) -> Result:
    """Wait until a lock is given back."""
    if call.interrupted:
        return Done(-EINTR, restart=True)
    return Wait(locks.key(key), None, True, f"for a lock on inode {key}")


def flock(kernel: Kernel, call: Call) -> Result:
    """Lock a whole file for a description (LOCK-7)."""
    # Arguments.
    operation = call.i32(1)
    wanted = operation & ~LOCK_NB
    found = fdtable.argument(kernel, call, 0)
    recorded = kernel.profile.has("FLOCK-FD-FIRST")
    mandatory = bool(operation & LOCK_MAND)
    # Errors.
    if mandatory and not recorded:
        return Done(0)  # mandatory locks are gone, and asking for one does nothing
    closed = found is None or found.file.kind == "path"
    errors = ErrorSet()
    errors.add(recorded and closed, EBADF, "FD-1")
    errors.add(wanted not in (LOCK_SH, LOCK_EX, LOCK_UN), EINVAL, "LOCK-7")
    errors.add(closed, EBADF, "FD-1")
    failed = errors.first()
    if failed is not None or found is None:
        return failed or fail(EBADF, "FD-1")
    # Effect and result.
    key = fdtable.lock_key(found.number, found.file)
    lock = Lock(found.number, wanted == LOCK_EX, by_description=True, whole=True)
    if wanted == LOCK_UN:
        locks.take(kernel, key, lock)
        return Done(0)
    if locks.blocker(kernel, key, lock) is not None:
        locks.take(kernel, key, lock)  # changing the kind gives the old lock back first
        return fail(EAGAIN, "LOCK-7") if operation & LOCK_NB else _lock_wait(call, key)
    locks.put(kernel, key, lock)
    return Done(0)


CALLS: tuple[CallRow, ...] = (
    CallRow(
        72,
        "fcntl",
        (
            Param("fd", ParamKind.FD),
            Param("cmd", ParamKind.ENUM, names="fcntl"),
            Param("arg", ParamKind.VARIES),
            Param("lock", ParamKind.VARIES),
        ),
        fcntl,
        ReturnKind.INT,
    ),
    CallRow(
        73,
        "flock",
        (Param("fd", ParamKind.FD), Param("operation", ParamKind.FLAGS, names="flock")),
        flock,
    ),
)
