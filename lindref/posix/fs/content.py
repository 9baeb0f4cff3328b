"""The contents of regular files: pages in a backing that memory maps share.

A file that was never written has no backing. Bytes behind the end of a file are zero in its pages, so growing it
shows zeros.
"""

from __future__ import annotations

from lindref.posix.constants import PAGE
from lindref.posix.fs import inodes, mirror
from lindref.posix.fs.numbers import S_ISGID, S_ISUID
from lindref.posix.fs.populate import file_of, forget_host
from lindref.posix.fs.records import Inode
from lindref.posix.kernel import Kernel


def read(kernel: Kernel, number: int, offset: int, count: int) -> bytes:
    """At most ``count`` bytes from ``offset``; ``b""`` at or behind the end (FILE-READ-2)."""
    inode = file_of(kernel, number)
    count = min(count, inode.size - offset)
    if count <= 0:
        return b""
    if inode.backing is None:
        return bytes(count)
    return kernel.backings.store(inode.backing).read(offset, count)


def write(kernel: Kernel, number: int, offset: int, data: bytes) -> None:
    """Put ``data`` at ``offset``; a gap before it reads as zeros (FILE-WRITE-2). Changing a file takes its set-id
    bits away, unless user 0 does it (FILE-WRITE-6).
    """
    backing = backing_of(kernel, number)
    inode = inodes.get(kernel, number)
    if offset > inode.size:
        _clear_tail(kernel, inode, offset)
    mirror.write(kernel, inode, offset, data)
    kernel.backings.store(backing).write(offset, data)
    inodes.change(
        kernel,
        number,
        size=max(inode.size, offset + len(data)),
        mode=_without_set_id(kernel, inode),
        mtime=kernel.wall,
        ctime=kernel.wall,
    )


def resize(kernel: Kernel, number: int, size: int) -> None:
    """Cut or extend (with zeros) to ``size`` bytes (FILE-TRUNC-1)."""
    held = inodes.get(kernel, number)
    mirror.resize(kernel, held, size)
    inode = forget_host(kernel, number) if size == 0 and held.host is not None else file_of(kernel, number)
    if inode.backing is not None and size < inode.size:
        kernel.backings.store(inode.backing).clear(size, inode.size - size)
    elif size > inode.size:
        _clear_tail(kernel, inode, size)
    inodes.change(
        kernel, number, size=size, mode=_without_set_id(kernel, inode), mtime=kernel.wall, ctime=kernel.wall
    )


def backing_of(kernel: Kernel, number: int) -> int:
    """The number of the page store of file ``number``, which is made when there is none."""
    inode = file_of(kernel, number)
    if inode.backing is not None:
        return inode.backing
    backing = kernel.backings.create()
    inodes.change(kernel, number, backing=backing)
    return backing


def _clear_tail(kernel: Kernel, inode: Inode, upto: int) -> None:
    """Make zero what a memory map may have put behind the end of the file, before the file grows over it."""
    if inode.backing is not None:
        rest = min(-inode.size % PAGE, upto - inode.size)
        kernel.backings.store(inode.backing).clear(inode.size, rest)


def blocks(kernel: Kernel, inode: Inode) -> int:
    """How many blocks of 512 bytes the contents occupy: pages that were never written occupy none."""
    if inode.host is not None or inode.backing is None:
        return -(-inode.size // 512) if inode.is_file and inode.host is not None else 0
    return len(kernel.backings.store(inode.backing)) * (PAGE // 512)


def _without_set_id(kernel: Kernel, inode: Inode) -> int:
    """The mode after a change of the contents."""
    if kernel.identity.uid == 0:
        return inode.mode
    drop = S_ISUID | (S_ISGID if inode.mode & 0o010 else 0)
    return inode.mode & ~drop
