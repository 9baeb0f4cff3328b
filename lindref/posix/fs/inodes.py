"""The table of inodes: making, changing, keeping and dropping them.

An inode lives as long as a name or a pin (an open description, a working directory, a mapping) refers to it (INODE-1).
"""

from __future__ import annotations

from typing import Any

from lindref.posix.fs.records import Inode
from lindref.posix.kernel import IdKind, Kernel
from lindref.state.records import replace


def get(kernel: Kernel, number: int) -> Inode:
    """The inode ``number``, which exists."""
    inode: Inode = kernel.inodes[number]
    return inode


def change(kernel: Kernel, number: int, **changes: Any) -> Inode:
    """Replace fields of inode ``number``; returns the new record."""
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
    change(kernel, number, pins=get(kernel, number).pins + 1)


def unpin(kernel: Kernel, number: int) -> None:
    """One such reference less; the last one drops a file that has no name (INODE-1)."""
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
