"""Waiting for many descriptors: poll, ppoll, select.

Readiness is the business of each kind (`openfile.Ops.ready`). Rules POLL-1 to POLL-9 in spec/polling.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lindref import classes
from lindref.posix import fdtable, limits, signals
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.constants import FD_MAX
from lindref.posix.errno import EBADF, EBADFD, EFAULT, EINTR, EINVAL
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.fdtable import Opened
from lindref.posix.kernel import ChoiceKind, Kernel
from lindref.posix.openfile import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
    ops_of,
)
from lindref.posix.params import CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result, RuntimeFault, Wait, WaitKey
from lindref.posix.structs import POLLFD, TIMEVAL
from lindref.state.records import replace

_MS = 1_000_000

#: Readiness that is reported whether asked for or not (POLL-2).
UNASKED = POLLERR | POLLHUP | POLLNVAL


# What all of them share.


def readiness(kernel: Kernel, found: Opened) -> int:
    """The poll bits that hold for an open descriptor (POLL-1)."""
    return ops_of(found.file).ready(kernel, found.number, found.file)


def wait_keys(kernel: Kernel, opened: Iterable[Opened]) -> tuple[WaitKey, ...]:
    """What to wait for so that no change of readiness is missed; each key once."""
    keys: dict[WaitKey, None] = {}
    for found in opened:
        for key in ops_of(found.file).keys(kernel, found.number, found.file):
            keys[key] = None
    return tuple(keys)


def deadline_after(kernel: Kernel, call: Call, timeout_ns: int | None) -> int | None:
    """When the call's time is up: fixed at its first try and kept in the memo (POLL-4). None: never."""
    if isinstance(call.memo, int):
        return call.memo
    return None if timeout_ns is None else kernel.now + timeout_ns


def not_yet(call: Call, opened: Iterable[Opened], kernel: Kernel, deadline: int | None, why: str) -> Result | None:
    """The wait for the next change; None when the time is up, EINTR when a signal came, even if there was no time to
    wait. It is never restarted (POLL-5).
    """
    if call.timed_out:
        return None
    if call.interrupted:
        return fail(EINTR, "POLL-5")
    if deadline is not None and deadline <= kernel.now:
        return None
    return Wait(wait_keys(kernel, opened), deadline, deadline, why)


# poll.


@classes.define
class _Asked:
    """One entry of a poll array, and the answer."""

    fd: int
    events: int
    found: Opened | None = None
    revents: int = 0


def poll(kernel: Kernel, call: Call) -> Result:
    """Wait until a descriptor is ready or time is up (POLL-1 to POLL-6)."""
    return _poll(kernel, call, call.i32(2))


def _poll(kernel: Kernel, call: Call, timeout_ms: int) -> Result:
    # Arguments.
    address, count = call.value(0), call.u32(1)
    # Errors.
    if count > limits.descriptors(kernel.cage(call.target)):
        return fail(EINVAL, "POLL-3")
    size = count * POLLFD.size
    data = user.copy_in(kernel, address, size)
    if data is None or not user.writable(kernel, address, size):
        user.require_mapped(kernel, mapped=False, what="poll: the array")
        return fail(EFAULT, "POLL-3")
    asked = [_ask(kernel, call, data[at : at + POLLFD.size]) for at in range(0, size, POLLFD.size)]
    if kernel.profile.has("POLL-QUIRKS"):
        failed = _lind_checks(asked)
        if failed is not None:
            return failed
    # Effect: look; nothing else changes.
    ready = _look(kernel, asked)
    opened = [one.found for one in asked if one.found is not None]
    deadline = deadline_after(kernel, call, None if timeout_ms < 0 else timeout_ms * _MS)
    waits = not ready
    if kernel.profile.has("POLL-QUIRKS"):
        only_invalid = all(one.found is None for one in asked if one.revents)
        waits = bool(opened) and (waits or only_invalid)
    if waits:
        answer = not_yet(call, opened, kernel, deadline, f"for {len(opened)} descriptors in poll")
        if answer is not None:
            return answer
    # Result.
    out = bytearray(data)
    for index, one in enumerate(asked):
        out[index * 8 + 6 : index * 8 + 8] = one.revents.to_bytes(2, "little")
    user.copy_out(kernel, address, bytes(out))
    return Done(ready)


def _ask(kernel: Kernel, call: Call, data: bytes) -> _Asked:
    fields = POLLFD.unpack(data)
    return _Asked(fields["fd"], fields["events"], fdtable.find(kernel, call.cage(0), fields["fd"]))


def _look(kernel: Kernel, asked: list[_Asked]) -> int:
    """Fill in the answers; how many entries are ready. Negative descriptors are passed over (POLL-2)."""
    for one in asked:
        if one.fd < 0:
            continue
        if one.found is None or one.found.file.kind == "path":
            one.revents = POLLNVAL
        else:
            one.revents = readiness(kernel, one.found) & (one.events | UNASKED)
    ready = sum(1 for one in asked if one.revents)
    if kernel.profile.has("POLL-TWINS"):
        ready = _collapse(kernel, asked)
    return ready


def _collapse(kernel: Kernel, asked: list[_Asked]) -> int:
    """As recorded: of entries with one descriptor only the last counts; of descriptors that share a host descriptor
    all are counted, but only one gets its answer, which depends on the order of a hash table.
    """
    last = {one.fd: index for index, one in enumerate(asked)}
    for index, one in enumerate(asked):
        if last[one.fd] != index:
            one.revents = 0
    ready = sum(1 for one in asked if one.revents)
    twins: dict[int, list[int]] = {}
    for index, one in enumerate(asked):
        if one.found is not None and one.revents:
            twins.setdefault(one.found.entry.under, []).insert(0, index)
    owner = {under: group[kernel.choose(ChoiceKind.TWIN, len(group))] for under, group in twins.items()}
    for index, one in enumerate(asked):
        if one.found is not None and owner.get(one.found.entry.under, index) != index:
            one.revents = 0
    return ready


def _lind_checks(asked: list[_Asked]) -> Result | None:
    """What the recorded poll does before it looks (POLL-QUIRKS): no waiting without descriptors, no epoll
    descriptors.
    """
    if any(one.fd >= FD_MAX for one in asked):
        raise Refused(RuntimeFault("poll: descriptor index beyond the table", "FD-BEYOND"))
    if any(one.found is not None and one.found.file.kind == "epoll" for one in asked):
        return fail(EBADFD, "POLL-QUIRKS")
    return None


# ppoll.


def ppoll(kernel: Kernel, call: Call) -> Result:
    """`poll` with another signal mask while it waits (POLL-6). The time limit is in milliseconds: that is how it
    arrives.
    """
    address = call.value(3)
    if not address:
        return _poll(kernel, call, call.i32(2))
    if isinstance(call.memo, tuple):
        inner, before = call.memo
    else:
        data = user.copy_in(kernel, address, 8)
        if data is None:
            user.require_mapped(kernel, mapped=False, what="ppoll: the mask")
            return fail(EFAULT, "POLL-6")
        inner, before = None, kernel.cage(call.target).mask
        signals.set_mask(kernel, call.target, int.from_bytes(data, "little"))
        if call.i32(2) == 0 and not kernel.profile.has("SIG-TRIGGER"):
            let_through = call.tid == kernel.cage(call.target).main_thread and signals.interrupts(kernel, call.target)
            call = replace(call, interrupted=let_through)
    answer = _poll(kernel, replace(call, memo=inner), call.i32(2))
    if isinstance(answer, Wait):
        return classes.evolve(answer, memo=(answer.memo, before))
    if isinstance(answer, Done) and answer.value == -EINTR and not kernel.profile.has("SIG-TRIGGER"):
        kernel.update(call.target, parked_mask=before)  # handlers run before it is back
        return answer
    blocked = kernel.cage(call.target).mask & ~before
    signals.set_mask(kernel, call.target, before)
    signals.trigger(kernel, kernel.cage(call.target), blocked)
    return answer


def _abandon_ppoll(kernel: Kernel, call: Call) -> None:
    """Put the mask back."""
    if isinstance(call.memo, tuple) and call.target in kernel.cages:
        signals.set_mask(kernel, call.target, call.memo[1])


# select.

#: Poll bits that make a descriptor count in each of the three sets (POLL-7).
_CLASSES = (
    POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
    POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
    POLLPRI,
)


def select(kernel: Kernel, call: Call) -> Result:
    """Wait until a descriptor of one of three sets is ready (POLL-7 to POLL-9)."""
    # Arguments.
    count = call.i32(0)
    addresses = [call.value(slot) for slot in (1, 2, 3)]
    # Errors.
    if count < 0 or (count >= FD_MAX and kernel.profile.has("SELECT-EINVAL")):
        return fail(EINVAL, "POLL-8")
    count = min(count, FD_MAX)
    size = -(-count // 64) * 8
    sets = [user.copy_in(kernel, address, size) if address else b"" for address in addresses]
    timeout = _timeout(kernel, call.value(4))
    errors = ErrorSet()
    bad = any(
        data is None or (address and not user.writable(kernel, address, size))
        for address, data in zip(addresses, sets, strict=True)
    )
    if bad:
        user.require_mapped(kernel, mapped=False, what="select: a set")
    errors.add(bad, EFAULT, "POLL-8")
    members = [_members(data or b"", count) for data in sets]
    opened = {fd: fdtable.find(kernel, call.cage(slot), fd) for slot, fds in enumerate(members, 1) for fd in fds}
    closed = any(found is None for found in opened.values())
    errors.add(closed, EINVAL if kernel.profile.has("SELECT-EINVAL") else EBADF, "POLL-8")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect: look; nothing else changes.
    found = [one for one in opened.values() if one is not None]
    if kernel.profile.has("POLL-TWINS"):
        found = [one for one in found if one.file.kind != "epoll"]
    ready = {one.fd: readiness(kernel, one) for one in found}
    if kernel.profile.has("POLL-TWINS"):
        ready = _one_of_twins(kernel, found, ready)
    results = [
        [fd for fd in fds if ready.get(fd, 0) & bits] for fds, bits in zip(members, _CLASSES, strict=True)
    ]
    total = sum(len(fds) for fds in results)
    if not total:
        deadline = deadline_after(kernel, call, timeout)
        answer = not_yet(call, found, kernel, deadline, f"for {len(found)} descriptors in select")
        if answer is not None:
            return answer
    # Result.
    for address, fds in zip(addresses, results, strict=True):
        if address:
            user.copy_out(kernel, address, sum(1 << fd for fd in fds).to_bytes(size, "little"))
    return Done(total)


def _one_of_twins(kernel: Kernel, found: Iterable[Opened], ready: Mapping[int, int]) -> dict[int, int]:
    """As recorded: of descriptors that share a host descriptor only one has an answer (POLL-TWINS)."""
    twins: dict[int, list[int]] = {}
    for one in found:
        twins.setdefault(one.entry.under, []).insert(0, one.fd)
    groups = [group for group in twins.values() if any(ready[fd] for fd in group)]
    return {fd: ready[fd] for fd in (group[kernel.choose(ChoiceKind.TWIN, len(group))] for group in groups)}


def _timeout(kernel: Kernel, address: int) -> int | None:
    """The time limit at ``address`` in ns; None without one (POLL-9). As recorded it counts whole milliseconds, and a
    negative one never ends (SELECT-NEGATIVE).
    """
    if not address:
        return None
    data = user.copy_in(kernel, address, TIMEVAL.size)
    if data is None:
        user.require_mapped(kernel, mapped=False, what="select: the time limit")
        raise Refused(fail(EFAULT, "POLL-8"))
    fields = TIMEVAL.unpack(data)
    sec, usec = fields["tv_sec"], fields["tv_usec"]
    if kernel.profile.has("SELECT-NEGATIVE"):
        ms = sec * 1000 + usec // 1000
        return ms * _MS if ms >= 0 else None
    if sec < 0 or usec < 0:
        raise Refused(fail(EINVAL, "POLL-9"))
    return (sec * 1_000_000 + usec) * 1000


def _members(data: bytes, count: int) -> list[int]:
    """The numbers below ``count`` in a set."""
    bits = int.from_bytes(data, "little") & ((1 << count) - 1)
    return [fd for fd in range(count) if bits >> fd & 1] if bits else []


_FDS = Param("fds", ParamKind.ARRAY, Direction.INOUT, length="nfds", struct="pollfd")
_NFDS = Param("nfds", ParamKind.UINT)
_SET = ParamKind.FD_SET

CALLS: tuple[CallRow, ...] = (
    CallRow(7, "poll", (_FDS, _NFDS, Param("timeout", ParamKind.INT)), poll, ReturnKind.COUNT),
    CallRow(
        23,
        "select",
        (
            Param("nfds", ParamKind.INT),
            Param("readfds", _SET, Direction.INOUT),
            Param("writefds", _SET, Direction.INOUT),
            Param("exceptfds", _SET, Direction.INOUT),
            Param("timeout", ParamKind.STRUCT, struct="timeval"),
        ),
        select,
        ReturnKind.COUNT,
    ),
    CallRow(
        271,
        "ppoll",
        (_FDS, _NFDS, Param("timeout", ParamKind.INT), Param("sigmask", ParamKind.SIGSET)),
        ppoll,
        ReturnKind.COUNT,
        abandon=_abandon_ppoll,
    ),
)
