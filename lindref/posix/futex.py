"""Futexes: sleeping on a word of memory (rules FUTEX-1 to FUTEX-8 in spec/threads.md).

A waiter is a record with a ticket; waking removes it, so a wait is over when its ticket is gone. Where a word is
decides what waiters meet: the page store behind shared memory, else the cage and the offset.
"""

from __future__ import annotations

from enum import IntEnum

from lindref.posix import usermem as user
from lindref.posix.call import Call, i32
from lindref.posix.constants import (
    EPOCH,
    FUTEX_BITSET_ALL,
    FUTEX_CLOCK_REALTIME,
    FUTEX_CMP_REQUEUE,
    FUTEX_PRIVATE_FLAG,
    FUTEX_REQUEUE,
    FUTEX_WAIT,
    FUTEX_WAIT_BITSET,
    FUTEX_WAKE,
    FUTEX_WAKE_BITSET,
    FUTEX_WAKE_OP,
)
from lindref.posix.errno import EAGAIN, EFAULT, EINTR, EINVAL, ENOSYS, EPERM, ETIMEDOUT
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.kernel import ChoiceKind, IdKind, Kernel
from lindref.posix.params import CallRow, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Key, Result, Wait, WaitKey
from lindref.posix.structs import TIMESPEC
from lindref.posix.time import timespec
from lindref.state.records import enumeration, record, replace

# Operations with priority inheritance: not modelled, but their first checks are (FUTEX-8).
_UNLOCK_PI = 7
_WAIT_REQUEUE_PI = 11

_WAITS = (FUTEX_WAIT, FUTEX_WAIT_BITSET)
_REQUEUES = (FUTEX_REQUEUE, FUTEX_CMP_REQUEUE)
_BUILT = (*_WAITS, FUTEX_WAKE, FUTEX_WAKE_BITSET, *_REQUEUES, FUTEX_WAKE_OP)


@enumeration("posix.futexspace")
class Space(IntEnum):
    """Whose offset a word's place is."""

    PRIVATE = 0  # of a cage, for operations with FUTEX_PRIVATE_FLAG
    CAGE = 1  # of a cage, for operations without
    BACKING = 2  # of a page store that may be mapped by several cages


@record("posix.futexplace")
class Place:
    """Where a word is: the space (a `Space`), the cage or page store, the offset in it."""

    space: int
    owner: int
    offset: int


@record("posix.futexwaiter")
class Waiter:
    """Somebody who sleeps at ``place`` until woken with one of ``bitset``."""

    place: Place
    bitset: int


@record("posix.futexwait")
class FutexWait:
    """The memo of a wait: its ticket, and the virtual time at which it gives up (None: never)."""

    ticket: int
    deadline: int | None


def futex(kernel: Kernel, call: Call) -> Result:
    """Wait, wake, requeue (FUTEX-1 to FUTEX-8)."""
    if isinstance(call.memo, FutexWait):
        return _waited(kernel, call, call.memo)
    # Arguments.
    address, word_op = call.value(0), call.i32(1)
    command = word_op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)
    private = bool(word_op & FUTEX_PRIVATE_FLAG)
    place = _place(kernel, address, private=private)
    # Errors.
    refused = _refusal(kernel, call, command)
    if refused is not None:
        return refused
    errors = ErrorSet()
    errors.add(bool(word_op & FUTEX_CLOCK_REALTIME) and command not in _WAITS, ENOSYS, "FUTEX-1")
    errors.add(bool(address % 4), EINVAL, "FUTEX-2")
    blind = private and command in (FUTEX_WAKE, FUTEX_WAKE_BITSET)
    errors.add(command in _REQUEUES and (call.i32(2) < 0 or call.i32(3) < 0), EINVAL, "FUTEX-6")
    errors.add(not blind and not _reached(kernel, place, address), EFAULT, "FUTEX-2")
    failed = errors.first()
    if failed is not None:
        return failed
    if place is None:  # nobody can be asleep there
        return Done(0)
    # Effect, result.
    if command in _WAITS:
        return _wait(kernel, call, place, command, realtime=bool(word_op & FUTEX_CLOCK_REALTIME))
    if command in (FUTEX_WAKE, FUTEX_WAKE_BITSET):
        bitset = call.u32(5) if command == FUTEX_WAKE_BITSET else FUTEX_BITSET_ALL
        if not bitset:
            return fail(EINVAL, "FUTEX-5")
        return Done(wake(kernel, place, call.i32(2), bitset))
    return _second(kernel, call, place, command, private=private)


def _reached(kernel: Kernel, place: Place | None, address: int) -> bool:
    """Whether a word can be read; one that is the cage's own, and might be somebody's elsewhere, has to be one that
    can change.
    """
    allowed = user.writable if place is not None and place.space is Space.CAGE else user.readable
    return place is not None and allowed(kernel, address, 4)


def _refusal(kernel: Kernel, call: Call, command: int) -> Result | None:
    """The answer to operations that do not exist or are not modelled (FUTEX-1, FUTEX-8)."""
    if command in _BUILT:
        return None
    if command == _UNLOCK_PI and user.readable(kernel, call.value(0), 4):
        return fail(EPERM, "FUTEX-8")
    if command == _WAIT_REQUEUE_PI and not user.readable(kernel, call.value(4), 4):
        return fail(EFAULT, "FUTEX-8")
    return fail(ENOSYS, "FUTEX-1")


def _place(kernel: Kernel, address: int, *, private: bool) -> Place | None:
    """Where the word at host ``address`` is (FUTEX-3); None when the address means nothing."""
    found = kernel.host.resolve(address) if address else None
    memory = kernel.host.memory(found.cage) if found is not None else None
    if found is None or memory is None:
        return None
    if private:
        return Place(Space.PRIVATE, found.cage, found.offset)
    where = memory.place(found.offset)
    if where is None:
        return None
    backing, offset = where
    return Place(Space.CAGE, found.cage, offset) if backing is None else Place(Space.BACKING, backing, offset)


def _word(kernel: Kernel, address: int) -> int:
    """The word at an address that can be read."""
    return int.from_bytes(user.copy_in(kernel, address, 4) or b"", "little")


def _wait(kernel: Kernel, call: Call, place: Place, command: int, *, realtime: bool) -> Result:
    """Sleep if the word is still as expected (FUTEX-4)."""
    limit = call.value(3)
    data = user.copy_in(kernel, limit, TIMESPEC.size) if limit else None
    length = timespec(data)
    bitset = call.u32(5) if command == FUTEX_WAIT_BITSET else FUTEX_BITSET_ALL
    errors = ErrorSet()
    errors.add(bool(limit) and data is None, EFAULT, "FUTEX-4")
    errors.add(data is not None and length is None, EINVAL, "FUTEX-4")
    errors.add(not bitset, EINVAL, "FUTEX-5")
    errors.add(_word(kernel, call.value(0)) != call.u32(2), EAGAIN, "FUTEX-4")
    failed = errors.first()
    if failed is not None:
        return failed
    deadline = None
    if length is not None:
        absolute = command == FUTEX_WAIT_BITSET
        deadline = length - (EPOCH if realtime else 0) if absolute else kernel.now + length
    ticket = kernel.new_id(IdKind.FUTEX_TICKET)
    kernel.futexes = kernel.futexes.set(ticket, Waiter(place, bitset))
    return _sleep(kernel, FutexWait(ticket, deadline))


def _sleep(kernel: Kernel, memo: FutexWait) -> Result:
    """Go on waiting, unless the time is over."""
    if memo.deadline is not None and memo.deadline <= kernel.now:
        kernel.futexes = kernel.futexes.remove(memo.ticket)
        return fail(ETIMEDOUT, "FUTEX-4")
    return Wait((WaitKey(Key.FUTEX, memo.ticket),), memo.deadline, memo, "for a futex")


def _waited(kernel: Kernel, call: Call, memo: FutexWait) -> Result:
    """A wait is looked at again: a ticket that is gone was woken (FUTEX-4)."""
    if memo.ticket not in kernel.futexes:
        return Done(0)
    if call.interrupted:
        kernel.futexes = kernel.futexes.remove(memo.ticket)
        return Done(-EINTR, restart=memo.deadline is None, failures=fail(EINTR, "FUTEX-6").failures)
    return _sleep(kernel, memo)


def abandon(kernel: Kernel, call: Call) -> None:
    """The thread that waits is gone: nobody can be woken in its place (FUTEX-7)."""
    memo = call.memo
    if isinstance(memo, FutexWait) and memo.ticket in kernel.futexes:
        kernel.futexes = kernel.futexes.remove(memo.ticket)


def _waiters(kernel: Kernel, place: Place, bitset: int = FUTEX_BITSET_ALL) -> list[int]:
    """The tickets of those who sleep at ``place``, oldest first."""
    return [at for at, waiter in kernel.futexes.items() if waiter.place == place and waiter.bitset & bitset]


def wake(kernel: Kernel, place: Place, count: int, bitset: int = FUTEX_BITSET_ALL) -> int:
    """Wake up to ``count`` of those who sleep at ``place``; returns how many (FUTEX-5)."""
    waiting = _waiters(kernel, place, bitset)
    woken = 0
    while waiting and woken < count:
        ticket = waiting.pop(kernel.choose(ChoiceKind.FUTEX_WAKE, len(waiting)) if woken + len(waiting) > count else 0)
        kernel.futexes = kernel.futexes.remove(ticket)
        kernel.touch(Key.FUTEX, ticket)
        woken += 1
    return woken


def _second(kernel: Kernel, call: Call, place: Place, command: int, *, private: bool) -> Result:
    """The operations with a second word: requeue and wake-op (FUTEX-6)."""
    # Arguments.
    count, more, other = call.i32(2), call.i32(3), call.value(4)
    target = _place(kernel, other, private=private)
    # Errors.
    errors = ErrorSet()
    errors.add(bool(other % 4), EINVAL, "FUTEX-2")
    writes = command == FUTEX_WAKE_OP and not user.writable(kernel, other, 4)
    errors.add(writes or not _reached(kernel, target, other), EFAULT, "FUTEX-2")
    compared = command == FUTEX_CMP_REQUEUE
    errors.add(compared and _word(kernel, call.value(0)) != call.u32(5), EAGAIN, "FUTEX-6")
    failed = errors.first()
    if failed is not None or target is None:
        return failed or Done(-EFAULT)
    # Effect, result.
    if command == FUTEX_WAKE_OP:
        return _wake_op(kernel, call, place, target)
    woken = wake(kernel, place, count)
    moved = _waiters(kernel, place)[:more]
    for ticket in moved:
        kernel.futexes = kernel.futexes.set(ticket, replace(kernel.futexes[ticket], place=target))
    return Done(woken + len(moved))


def _wake_op(kernel: Kernel, call: Call, place: Place, target: Place) -> Result:
    """Change the second word, wake at the first, and at the second if its old value compares (FUTEX-6)."""
    code, address = call.u32(5), call.value(4)
    operation, comparison = code >> 28 & 7, code >> 24 & 0xF
    operand, against = _twelve(code >> 12), _twelve(code)
    if code >> 31:
        operand = 1 << (operand & 31)
    old = i32(_word(kernel, address))
    results = (operand, old + operand, old | operand, old & ~operand, old ^ operand)
    holds = (old == against, old != against, old < against, old <= against, old > against, old >= against)
    if operation >= len(results) or comparison >= len(holds):
        return fail(ENOSYS, "FUTEX-6")
    user.copy_out(kernel, address, (results[operation] & 0xFFFFFFFF).to_bytes(4, "little"))
    woken = wake(kernel, place, call.i32(2))
    if holds[comparison]:
        woken += wake(kernel, target, call.i32(3))
    return Done(woken)


def _twelve(bits: int) -> int:
    """The low 12 bits as a signed number."""
    bits &= 0xFFF
    return bits - 0x1000 if bits & 0x800 else bits


CALLS: tuple[CallRow, ...] = (
    CallRow(
        202,
        "futex",
        (
            Param("uaddr", ParamKind.POINTER),
            Param("op", ParamKind.FLAGS, names="futex-bits"),
            Param("val", ParamKind.UINT),
            Param("timeout", ParamKind.VARIES, struct="timespec"),
            Param("uaddr2", ParamKind.POINTER),
            Param("val3", ParamKind.HEX),
        ),
        futex,
        ReturnKind.COUNT,
        abandon,
    ),
)
