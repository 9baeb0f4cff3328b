"""The table of inodes: making, changing, keeping and dropping them.

An inode lives as long as a name or a pin (an open description, a working directory, a mapping) refers to it (INODE-1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lindref.posix.errno import EPERM
from lindref.posix.errors import fail
from lindref.posix.fs.records import Inode
from lindref.posix.kernel import IdKind, Kernel
from lindref.posix.result import Refused
from lindref.state.records import replace

#: Numbers from here on are those of inodes that are made up when somebody looks (`procfs`).
MADE_UP = 1 << 31

_makers: list[Callable[[Kernel, int], Inode]] = []


def make_up_with(maker: Callable[[Kernel, int], Inode]) -> None:
    """``maker`` says what an inode is whose number is at least `MADE_UP`."""
    _makers.append(maker)


def made_up(number: int) -> bool:
    """Whether the inode is made up: it cannot be changed."""
    return number >= MADE_UP


def exists(kernel: Kernel, number: int) -> bool:
    """Whether there is such an inode."""
    return number in kernel.inodes or made_up(number)


def get(kernel: Kernel, number: int) -> Inode:
    """The inode ``number``, which exists."""
    if number >= MADE_UP:
        return _makers[0](kernel, number)
    inode: Inode = kernel.inodes[number]
    return inode


def change(kernel: Kernel, number: int, **changes: Any) -> Inode:
    """Replace fields of inode ``number``; returns the new record. What is made up is refused with EPERM (PROC-1)."""
    if number >= MADE_UP:
        raise Refused(fail(EPERM, "PROC-1"))
    inode: Inode = replace(kernel.inodes[number], **changes)
    kernel.inodes = kernel.inodes.set(number, inode)
    return inode


def new(kernel: Kernel, mode: int, mount: int, **fields: Any) -> Inode:
    """A new inode without names: owner and times are those of the caller's identity and now, unless given."""
    owner = kernel.identity
    now = {"atime": kernel.wall, "mtime": kernel.wall, "ctime": kernel.wall}
    given = {"uid": owner.uid, "gid": owner.gid, **now, **fields}
    inode = Inode(kernel.new_id(IdKind.INODE), mode, mount, **given)
    kernel.inodes = kernel.inodes.set(inode.number, inode)
    return inode


def pin(kernel: Kernel, number: int) -> None:
    """One more reference that is no name."""
    if number >= MADE_UP:
        return
    change(kernel, number, pins=get(kernel, number).pins + 1)


def unpin(kernel: Kernel, number: int) -> None:
    """One such reference less; the last one drops a file that has no name (INODE-1)."""
    if number >= MADE_UP:
        return
    inode = change(kernel, number, pins=get(kernel, number).pins - 1)
    assert inode.pins >= 0, f"inode {number} was unpinned too often"
    _drop_if_dead(kernel, inode)


def unlinked(kernel: Kernel, number: int, names: int = 1) -> None:
    """``names`` names less; the last one drops a file that nobody has open (INODE-1)."""
    inode = get(kernel, number)
    inode = change(kernel, number, nlink=max(inode.nlink - names, 0), ctime=kernel.wall)
    _drop_if_dead(kernel, inode)


def _drop_if_dead(kernel: Kernel, inode: Inode) -> None:
    if inode.nlink or inode.pins:
        return
    kernel.inodes = kernel.inodes.remove(inode.number)
    if inode.number in kernel.locks:
        kernel.locks = kernel.locks.remove(inode.number)
    if inode.backing is not None:
        kernel.backings.drop(inode.backing)
