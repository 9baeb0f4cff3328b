"""Who and where a cage is: ids, host name, limits, random bytes (rules ID-1 to ID-8 in spec/identity.md)."""

from __future__ import annotations

from collections.abc import Callable

from lindref.posix import limits
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.constants import (
    FD_MAX,
    GRND_INSECURE,
    GRND_NONBLOCK,
    GRND_RANDOM,
    RLIMIT_NLIMITS,
    RLIMIT_NOFILE,
)
from lindref.posix.errno import EFAULT, EINVAL, ENAMETOOLONG, EPERM, ESRCH
from lindref.posix.errors import ErrorSet
from lindref.posix.kernel import Kernel
from lindref.posix.params import RESULT, CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result, RuntimeFault
from lindref.posix.structs import RLIMIT

#: Random bytes that one call gives at most.
_RANDOM_MOST = (1 << 25) - 1


def getpid(kernel: Kernel, call: Call) -> Result:
    """The id of the target (ID-1)."""
    return Done(kernel.cage(call.target).id)


def getppid(kernel: Kernel, call: Call) -> Result:
    """The id of the target's parent (ID-2)."""
    return Done(kernel.cage(call.target).parent)


def getpgid(kernel: Kernel, call: Call) -> Result:
    """The id of the target, whatever the argument: there are no process groups (ID-3)."""
    return Done(kernel.cage(call.target).id)


def _user(kernel: Kernel, call: Call) -> Result:
    """The user id of every cage (ID-4)."""
    del call
    return Done(kernel.identity.uid)


def _group(kernel: Kernel, call: Call) -> Result:
    """The group id of every cage (ID-4)."""
    del call
    return Done(kernel.identity.gid)


def sched_yield(kernel: Kernel, call: Call) -> Result:
    """Let others run: the scheduler sees the call and that is all (ID-8)."""
    del kernel, call
    return Done(0)


def gethostname(kernel: Kernel, call: Call) -> Result:
    """The host's name with its NUL; what does not fit is cut and the call fails (ID-6)."""
    # Arguments.
    address, size = call.value(0), call.value(1)
    name = kernel.identity.hostname + b"\0"
    part = name[:size]
    # Errors.
    mapped = user.writable(kernel, address, len(part))
    user.require_mapped(kernel, mapped, "gethostname: the buffer")
    errors = ErrorSet()
    errors.add(not mapped, EFAULT, "ID-6")
    errors.add(size < len(name), ENAMETOOLONG, "ID-6")
    # Effect.
    if mapped:
        user.copy_out(kernel, address, part)
    # Result.
    return errors.first() or Done(0)


def prlimit64(kernel: Kernel, call: Call) -> Result:
    """Ask for a limit and set it (ID-5, LIMIT-5)."""
    # Arguments.
    pid, resource, new, old = call.i32(0), call.u32(1), call.value(2), call.value(3)
    if kernel.profile.has("PRLIMIT-ABORT"):
        _refuse(pid != 0, f"prlimit64: pid {pid}")
        _refuse(bool(new), "prlimit64: setting a limit")
        _refuse(bool(old) and resource not in limits.FIRST, f"prlimit64: resource {resource}")
    # Errors.
    if old:
        user.require_mapped(kernel, user.writable(kernel, old, RLIMIT.size), "prlimit64: the old limit")
    errors = ErrorSet()
    errors.add(resource >= RLIMIT_NLIMITS, EINVAL, "ID-5")
    errors.add(pid != 0 and pid not in kernel.cages, ESRCH, "ID-5")
    errors.add(bool(old) and not user.writable(kernel, old, RLIMIT.size), EFAULT, "ID-5")
    data = user.copy_in(kernel, new, RLIMIT.size) if new else None
    errors.add(bool(new) and data is None, EFAULT, "ID-5")
    failed = errors.first()
    if failed is not None:
        return failed
    owner = kernel.cage(pid or call.target)
    present, largest = limits.limits(owner, resource)
    wanted = RLIMIT.unpack(data) if data is not None else {"rlim_cur": present, "rlim_max": largest}
    errors.add(wanted["rlim_cur"] > wanted["rlim_max"], EINVAL, "LIMIT-5")
    errors.add(wanted["rlim_max"] > largest and kernel.identity.uid != 0, EPERM, "LIMIT-5")
    errors.add(resource == RLIMIT_NOFILE and wanted["rlim_max"] > FD_MAX, EPERM, "LIMIT-5")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    if data is not None:
        kernel.update(owner.id, limits=owner.limits.set(resource, (wanted["rlim_cur"], wanted["rlim_max"])))
    if old:
        user.copy_out(kernel, old, RLIMIT.pack(rlim_cur=present, rlim_max=largest))
    # Result.
    return Done(0)


def _refuse(condition: bool, what: str) -> None:
    """End the host where the real system has no answer (``PRLIMIT-ABORT``)."""
    if condition:
        raise Refused(RuntimeFault(f"{what} is not supported", "PRLIMIT-ABORT"))


def getrandom(kernel: Kernel, call: Call) -> Result:
    """Random bytes from the seeded source (ID-7)."""
    # Arguments.
    address, size, flags = call.value(0), call.u32(1), call.u32(2)
    count = min(size, _RANDOM_MOST)
    both = GRND_RANDOM | GRND_INSECURE
    # Errors.
    errors = ErrorSet()
    errors.add(bool(flags & ~(GRND_NONBLOCK | both)) or flags & both == both, EINVAL, "ID-7")
    errors.add(not user.writable(kernel, address, count), EFAULT, "ID-7")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    if count:
        user.copy_out(kernel, address, kernel.host.random_bytes(count))
    # Result.
    return Done(count)


def _plain(
    number: int, name: str, handler: Callable[[Kernel, Call], Result], returns: ReturnKind = ReturnKind.INT
) -> CallRow:
    """A row without parameters."""
    return CallRow(number, name, (), handler, returns)


CALLS: tuple[CallRow, ...] = (
    _plain(24, "sched_yield", sched_yield, ReturnKind.ZERO),
    _plain(39, "getpid", getpid, ReturnKind.PID),
    _plain(102, "getuid", _user),
    _plain(104, "getgid", _group),
    _plain(107, "geteuid", _user),
    _plain(108, "getegid", _group),
    _plain(110, "getppid", getppid, ReturnKind.PID),
    CallRow(121, "getpgid", (Param("pid", ParamKind.IGNORED),), getpgid, ReturnKind.PID),
    CallRow(
        170,
        "gethostname",
        (Param("name", ParamKind.CSTRING, Direction.OUT), Param("len", ParamKind.SIZE)),
        gethostname,
    ),
    CallRow(
        302,
        "prlimit64",
        (
            Param("pid", ParamKind.PID),
            Param("resource", ParamKind.ENUM, names="rlimit"),
            Param("new_limit", ParamKind.STRUCT, struct="rlimit"),
            Param("old_limit", ParamKind.STRUCT, Direction.OUT, struct="rlimit"),
        ),
        prlimit64,
    ),
    CallRow(
        318,
        "getrandom",
        (
            Param("buf", ParamKind.BUFFER, Direction.OUT, length=RESULT),
            Param("buflen", ParamKind.UINT),
            Param("flags", ParamKind.FLAGS, names="getrandom"),
        ),
        getrandom,
        ReturnKind.COUNT,
    ),
)
