"""Epoll: a set of descriptors kept by the kernel, and waiting for it.

Rules EPOLL-1 to EPOLL-7 in spec/polling.md.
"""

from __future__ import annotations

from typing import Any

from lindref import classes
from lindref.posix import fdtable, openfile
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.constants import FD_MAX
from lindref.posix.descriptors import full_table
from lindref.posix.errno import EBADF, EEXIST, EFAULT, EINVAL, ELOOP, ENOENT, EPERM
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.fdtable import Opened
from lindref.posix.fs.numbers import O_CLOEXEC, O_RDWR
from lindref.posix.kernel import IdKind, Kernel
from lindref.posix.openfile import POLLERR, POLLHUP, POLLIN, POLLRDNORM, OpenFile, Ops, ops_of
from lindref.posix.params import CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.polling import deadline_after, not_yet
from lindref.posix.result import Done, Key, Refused, Result, RuntimeFault, WaitKey
from lindref.posix.structs import EPOLL_EVENT
from lindref.state.pmap import PMap
from lindref.state.records import record, replace

CTL_ADD = 1
CTL_DEL = 2
CTL_MOD = 3

EPOLLET = 1 << 31
EPOLLONESHOT = 1 << 30
_OPTIONS = EPOLLET | EPOLLONESHOT | 1 << 29 | 1 << 28

#: Instances may watch instances so many levels deep.
_DEPTH = 5

#: Events that one wait gives at most: what fits into 2 GiB.
_EVENTS_MAX = 0x7FFFFFFF // EPOLL_EVENT.size


@record("posix.interest")
class Interest:
    """A watched descriptor. ``events``: what for; ``data``: what to report it as; ``turn``: its place in the order of
    reports;
    ``seen``: for edge-triggered ones, what was last reported; ``spent``: a one-shot one that has been reported."""

    fd: int
    description: int
    events: int
    data: int
    turn: int
    seen: tuple[int, int] = (0, -1)
    spent: bool = False


@record("posix.epoll")
class Epoll:
    """An instance: its interests, by number of description and descriptor; the next turn."""

    interests: PMap[Interest] = classes.field(factory=PMap)
    turns: int = 0


def _get(kernel: Kernel, number: int) -> Epoll:
    instance: Epoll = kernel.epolls[number]
    return instance


def _change(kernel: Kernel, number: int, **changes: Any) -> None:
    kernel.epolls = kernel.epolls.set(number, replace(kernel.epolls[number], **changes))


def _key(fd: int, description: int) -> int:
    return description * FD_MAX + fd


# The kind "epoll".


def _live(kernel: Kernel, number: int) -> list[Interest]:
    """The interests whose description is still there, in the order of their turns; others are forgotten (EPOLL-5)."""
    instance = _get(kernel, number)
    live = [one for one in instance.interests.values() if one.description in kernel.descriptions]
    if len(live) != len(instance.interests):
        _change(kernel, number, interests=PMap({_key(one.fd, one.description): one for one in live}))
    return sorted(live, key=lambda one: one.turn)


def _reported(kernel: Kernel, one: Interest) -> tuple[int, tuple[int, int]]:
    """The events to report for an interest now (EPOLL-3, EPOLL-4), and what to remember of it."""
    file = openfile.get(kernel, one.description)
    ops = ops_of(file)
    bits = ops.ready(kernel, one.description, file) & (one.events | POLLERR | POLLHUP) & ~_OPTIONS
    seen = (bits, ops.edge(kernel, one.description, file))
    if one.spent or not bits or (one.events & EPOLLET and seen == one.seen):
        return 0, seen
    return bits, seen


def _ready(kernel: Kernel, number: int, file: OpenFile) -> int:
    """An instance can be read from when it has something to report (EPOLL-6)."""
    del number
    some = any(_reported(kernel, one)[0] for one in _live(kernel, file.object))
    return POLLIN | POLLRDNORM if some else 0


def _keys(kernel: Kernel, number: int, file: OpenFile) -> tuple[WaitKey, ...]:
    del number
    keys: dict[WaitKey, None] = {WaitKey(Key.EPOLL, file.object): None}
    for one in _live(kernel, file.object):
        watched = openfile.get(kernel, one.description)
        for key in ops_of(watched).keys(kernel, one.description, watched):
            keys[key] = None
    return tuple(keys)


def _close(kernel: Kernel, number: int, file: OpenFile) -> None:
    del number
    kernel.epolls = kernel.epolls.remove(file.object)


openfile.register("epoll", Ops(ready=_ready, keys=_keys, close=_close))


# Calls.


def epoll_create(kernel: Kernel, call: Call) -> Result:
    """Make an instance; the size only has to be positive (EPOLL-1)."""
    if call.i32(0) <= 0:
        return fail(EINVAL, "EPOLL-1")
    return _create(kernel, call, 0, "epoll_create")


def epoll_create1(kernel: Kernel, call: Call) -> Result:
    """Make an instance (EPOLL-1)."""
    if call.u32(0) & ~O_CLOEXEC:
        return fail(EINVAL, "EPOLL-1")
    return _create(kernel, call, call.u32(0), "epoll_create1")


def _create(kernel: Kernel, call: Call, flags: int, what: str) -> Result:
    free = fdtable.lowest_free(kernel, call.target)
    if free is None:
        return full_table(kernel, what)
    number = kernel.new_id(IdKind.EPOLL)
    kernel.epolls = kernel.epolls.set(number, Epoll())
    description = openfile.make(kernel, "epoll", O_RDWR, object=number)
    return Done(fdtable.install(kernel, call.target, free, description, cloexec=bool(flags & O_CLOEXEC)))


def epoll_ctl(kernel: Kernel, call: Call) -> Result:
    """Add, change or remove an interest (EPOLL-2)."""
    # Arguments.
    op, address = call.i32(1), call.value(3)
    epfd, watched = fdtable.argument(kernel, call, 0), fdtable.argument(kernel, call, 2)
    recorded = kernel.profile.has("EPOLL-PANIC")
    if recorded and (epfd is None or epfd.file.kind != "epoll"):
        raise Refused(RuntimeFault("epoll_ctl: no epoll descriptor", "EPOLL-PANIC"))
    data = user.copy_in(kernel, address, EPOLL_EVENT.size) if op != CTL_DEL else b""
    # Errors.
    errors = ErrorSet()
    errors.add(recorded and op not in (CTL_ADD, CTL_DEL, CTL_MOD), EINVAL, "EPOLL-2")
    errors.add(watched is None and recorded, EBADF, "FD-1")
    errors.add(data is None, EFAULT, "EPOLL-2")
    errors.add(epfd is None, EBADF, "FD-1")
    errors.add(watched is None, EBADF, "FD-1")
    if watched is not None:
        alias = recorded and watched.file.kind == "epoll"  # taken for a host descriptor (EPOLL-KIND)
        errors.add(alias or not ops_of(watched.file).polls, EPERM, "EPOLL-2")
    if epfd is not None and watched is not None:
        errors.add(epfd.file.kind != "epoll" or epfd.number == watched.number, EINVAL, "EPOLL-2")
    failed = errors.first()
    if failed is not None or epfd is None or watched is None:
        return failed or fail(EBADF, "FD-1")
    fields = EPOLL_EVENT.unpack(data) if data else {"events": 0, "data": 0}
    refused = _check(kernel, epfd, watched, op)
    if refused is not None:
        return refused
    # Effect.
    if kernel.profile.has("EPOLL-DATA"):
        fields["data"] = watched.fd
    _set_interest(kernel, epfd.file.object, watched, op, fields)
    # Result.
    return Done(0)


def _check(kernel: Kernel, epfd: Opened, watched: Opened, op: int) -> Result | None:
    """The errors of an operation on what is watched already (EPOLL-2)."""
    there = _key(watched.fd, watched.number) in _get(kernel, epfd.file.object).interests
    errors = ErrorSet()
    errors.add(op not in (CTL_ADD, CTL_DEL, CTL_MOD), EINVAL, "EPOLL-2")
    errors.add(op == CTL_ADD and there, EEXIST, "EPOLL-2")
    errors.add(op in (CTL_DEL, CTL_MOD) and not there, ENOENT, "EPOLL-2")
    if op == CTL_ADD and watched.file.kind == "epoll":
        deep = _depth(kernel, watched.file.object, epfd.file.object) > _DEPTH
        errors.add(deep, ELOOP, "EPOLL-6")
    return errors.first()


def _depth(kernel: Kernel, number: int, watcher: int) -> int:
    """How many levels of instances ``number`` stands on; too many when ``watcher`` is among them."""
    level = [number]
    depth = 1
    while level and depth <= _DEPTH:
        if watcher in level:
            return _DEPTH + 1
        below = [openfile.get(kernel, one.description) for held in level for one in _live(kernel, held)]
        level = [file.object for file in below if file.kind == "epoll"]
        depth += 1
    return depth - 1 if not level else _DEPTH + 1


def _set_interest(kernel: Kernel, number: int, watched: Opened, op: int, fields: dict[str, int]) -> None:
    instance = _get(kernel, number)
    key = _key(watched.fd, watched.number)
    if op == CTL_DEL:
        _change(kernel, number, interests=instance.interests.remove(key))
    else:
        turn = instance.turns if op == CTL_ADD else instance.interests[key].turn
        new = Interest(watched.fd, watched.number, fields["events"], fields["data"], turn)
        _change(kernel, number, interests=instance.interests.set(key, new), turns=instance.turns + 1)
    kernel.touch(Key.EPOLL, number)


def epoll_wait(kernel: Kernel, call: Call) -> Result:
    """Wait until an instance has something to report (EPOLL-3 to EPOLL-7)."""
    # Arguments.
    address, most, timeout = call.value(1), call.i32(2), call.i32(3)
    found = fdtable.argument(kernel, call, 0)
    recorded = kernel.profile.has("EPOLL-PANIC")
    if recorded and not 0 <= call.i64(0) < FD_MAX:
        raise Refused(RuntimeFault("epoll_wait: descriptor index beyond the table", "FD-BEYOND"))
    # Errors.
    wrong = found is not None and found.file.kind != "epoll"
    errors = ErrorSet()
    errors.add(recorded and (found is None or wrong), EBADF, "EPOLL-7")
    errors.add(not 0 < most <= _EVENTS_MAX, EINVAL, "EPOLL-7")
    errors.add(not user.writable(kernel, address, EPOLL_EVENT.size), EFAULT, "EPOLL-7")
    errors.add(found is None, EBADF, "FD-1")
    errors.add(wrong, EINVAL, "EPOLL-7")
    failed = errors.first()
    if failed is not None or found is None:
        return failed or fail(EBADF, "FD-1")
    # Effect.
    data, told = _collect(kernel, found.file.object, most)
    if not told:
        deadline = deadline_after(kernel, call, None if timeout < 0 else timeout * 1_000_000)
        answer = not_yet(call, [found], kernel, deadline, f"for epoll instance {found.file.object}")
        return Done(0) if answer is None else answer
    if not user.copy_out(kernel, address, data):
        return fail(EFAULT, "EPOLL-7")
    _remember(kernel, found.file.object, told)
    # Result.
    return Done(len(told))


def _collect(kernel: Kernel, number: int, most: int) -> tuple[bytes, list[Interest]]:
    """The first ``most`` events to report, as structures, and the interests as they are after that."""
    out = bytearray()
    told: list[Interest] = []
    for one in _live(kernel, number):
        bits, seen = _reported(kernel, one)
        if bits and len(told) < most:
            out += EPOLL_EVENT.pack(events=bits, data=one.data)
            told.append(replace(one, seen=seen, spent=bool(one.events & EPOLLONESHOT)))
        elif not bits and one.events & EPOLLET and seen != one.seen:
            _change(kernel, number, interests=_get(kernel, number).interests.set(
                _key(one.fd, one.description), replace(one, seen=seen)
            ))
    return bytes(out), told


def _remember(kernel: Kernel, number: int, told: list[Interest]) -> None:
    """What was reported goes to the end of the order, so that all get their turn (EPOLL-3)."""
    instance = _get(kernel, number)
    interests, turns = instance.interests, instance.turns
    for one in told:
        interests = interests.set(_key(one.fd, one.description), replace(one, turn=turns))
        turns += 1
    _change(kernel, number, interests=interests, turns=turns)


_EPFD = Param("epfd", ParamKind.FD)

CALLS: tuple[CallRow, ...] = (
    CallRow(213, "epoll_create", (Param("size", ParamKind.INT),), epoll_create, ReturnKind.FD),
    CallRow(
        232,
        "epoll_wait",
        (
            _EPFD,
            Param("events", ParamKind.ARRAY, Direction.OUT, length="result", struct="epoll_event"),
            Param("maxevents", ParamKind.INT),
            Param("timeout", ParamKind.INT),
        ),
        epoll_wait,
        ReturnKind.COUNT,
    ),
    CallRow(
        233,
        "epoll_ctl",
        (
            _EPFD,
            Param("op", ParamKind.ENUM, names="epoll-op"),
            Param("fd", ParamKind.FD),
            Param("event", ParamKind.STRUCT, struct="epoll_event"),
        ),
        epoll_ctl,
    ),
    CallRow(
        291,
        "epoll_create1",
        (Param("flags", ParamKind.FLAGS, names="epoll-create"),),
        epoll_create1,
        ReturnKind.FD,
    ),
)
