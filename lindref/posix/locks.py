"""Locks on files: record locks of cages, and whole-file locks of descriptions (flock). The table, not the calls.

The kernel keeps them by inode. Two locks conflict when one of them is exclusive, they overlap, and their owners differ.
"""

from __future__ import annotations

from lindref.posix.kernel import Kernel
from lindref.posix.result import Key, WaitKey
from lindref.state.records import record, replace

F_RDLCK = 0
F_WRLCK = 1
F_UNLCK = 2

#: End of a lock that reaches to the end of the file, wherever that will be.
FOREVER = 1 << 63


@record("posix.lock")
class Lock:
    """A lock: who holds it, on which bytes ``[start, end)``. ``owner``: a cage's id, or the number of a description
    when ``by_description``; ``whole``: a flock, which record locks do not see.
    """

    owner: int
    exclusive: bool
    start: int = 0
    end: int = FOREVER
    by_description: bool = False
    whole: bool = False

    def same_owner(self, other: Lock) -> bool:
        """Whether both belong to one owner and one kind."""
        return (self.owner, self.by_description, self.whole) == (other.owner, other.by_description, other.whole)

    def conflicts(self, other: Lock) -> bool:
        """Whether the two cannot be held at once (LOCK-1)."""
        return (
            self.whole == other.whole
            and (self.owner, self.by_description) != (other.owner, other.by_description)
            and (self.exclusive or other.exclusive)
            and self.start < other.end
            and other.start < self.end
        )


def key(inode: int) -> tuple[WaitKey, ...]:
    """What to wait for when a lock on ``inode`` is wanted."""
    return (WaitKey(Key.LOCK, inode),)


def held(kernel: Kernel, inode: int) -> tuple[Lock, ...]:
    """The locks on ``inode``, in order of their starts."""
    locks: tuple[Lock, ...] = kernel.locks.get(inode) or ()
    return locks


def blocker(kernel: Kernel, inode: int, wanted: Lock) -> Lock | None:
    """The first lock that conflicts with ``wanted``, or None (LOCK-1)."""
    return next((lock for lock in held(kernel, inode) if lock.conflicts(wanted)), None)


def put(kernel: Kernel, inode: int, new: Lock) -> None:
    """Give the owner ``new`` in place of what it held on those bytes; neighbours of one kind join (LOCK-2)."""
    locks = _without(held(kernel, inode), new)
    own = [lock for lock in locks if lock.same_owner(new)]
    for lock in own:
        if lock.exclusive == new.exclusive and lock.start <= new.end and new.start <= lock.end:
            new = replace(new, start=min(lock.start, new.start), end=max(lock.end, new.end))
            locks = tuple(other for other in locks if other is not lock)
    _set(kernel, inode, (*locks, new))


def take(kernel: Kernel, inode: int, part: Lock) -> None:
    """Take from the owner what it holds on the bytes of ``part`` (LOCK-2)."""
    _set(kernel, inode, _without(held(kernel, inode), part))


def closed(kernel: Kernel, inode: int, cage: int) -> None:
    """``cage`` closed a descriptor of ``inode``: all its record locks there go (LOCK-3)."""
    locks = held(kernel, inode)
    if locks:
        kept = tuple(lock for lock in locks if lock.owner != cage or lock.by_description)
        if len(kept) != len(locks):
            _set(kernel, inode, kept)


def ended(kernel: Kernel, inode: int, description: int) -> None:
    """A description is gone, and its locks with it (LOCK-4)."""
    locks = held(kernel, inode)
    kept = tuple(lock for lock in locks if lock.owner != description or not lock.by_description)
    if len(kept) != len(locks):
        _set(kernel, inode, kept)


def _without(locks: tuple[Lock, ...], part: Lock) -> tuple[Lock, ...]:
    """``locks`` without what the owner of ``part`` holds on its bytes."""
    left: list[Lock] = []
    for lock in locks:
        if not lock.same_owner(part) or lock.end <= part.start or part.end <= lock.start:
            left.append(lock)
            continue
        if lock.start < part.start:
            left.append(replace(lock, end=part.start))
        if part.end < lock.end:
            left.append(replace(lock, start=part.end))
    return tuple(left)


def _set(kernel: Kernel, inode: int, locks: tuple[Lock, ...]) -> None:
    order = tuple(sorted(locks, key=lambda lock: (lock.start, lock.whole, lock.owner)))
    if order:
        kernel.locks = kernel.locks.set(inode, order)
    elif inode in kernel.locks:
        kernel.locks = kernel.locks.remove(inode)
    kernel.touch(Key.LOCK, inode)
