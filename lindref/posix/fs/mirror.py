"""A root that is written through: what guests change is changed in the host directory first (ROOT-8, ROOT-9).

The model stays what guests see; the host is told of each change by `Kernel.ask`, and where it refuses, the guest gets
its error and nothing changes. A mount that is written through knows the names that its inodes have on the host; an
inode without one (a device, a socket, a file that lost its last name) is the run's alone.
"""

from __future__ import annotations

import errno as host_errno
from collections.abc import Callable

from lindref.posix.cage import Mapping
from lindref.posix.constants import MAP_SHARED, PAGE, PROT_WRITE
from lindref.posix.errno import EINVAL, EIO, EPERM, NUMBERS
from lindref.posix.errors import fail
from lindref.posix.fs import inodes
from lindref.posix.fs.hosttree import HostEntry
from lindref.posix.fs.hostwriter import NOW, HostWriter
from lindref.posix.fs.numbers import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG
from lindref.posix.fs.records import Inode, Mount
from lindref.posix.kernel import IdKind, Kernel
from lindref.posix.result import Refused
from lindref.state.records import replace

__all__ = ["NOW"]

#: What is made on the host too; devices are refused, sockets are the run's alone.
_MADE = frozenset({S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO})


def _mount(kernel: Kernel, inode: Inode) -> Mount | None:
    """The mount of ``inode`` if it is written through."""
    mount: Mount | None = kernel.mounts.get(inode.mount)
    return mount if mount is not None and mount.writes else None


def _path(mount: Mount, number: int) -> bytes | None:
    """The path of inode ``number`` on the host; None without one."""
    parts: list[bytes] = []
    while number != mount.root:
        names = mount.names.get(number)
        if not names:
            return None
        number, name = names[0]
        parts.append(name)
    return b"/".join(reversed(parts))


def _join(mount: Mount, parent: int, name: bytes) -> bytes | None:
    folder = _path(mount, parent)
    return None if folder is None else folder + b"/" + name if folder else name


def host_path(kernel: Kernel, inode: Inode) -> bytes:
    """Where on the host the contents of ``inode``, which have not been read in, are now."""
    assert inode.host is not None
    mount = _mount(kernel, inode)
    path = None if mount is None else _path(mount, inode.number)
    return inode.host if path is None else path


def _tell(kernel: Kernel, mount: Mount, do: Callable[[HostWriter], None]) -> None:
    """Change the host; refused with its error (ROOT-7)."""

    def question() -> int:
        assert mount.host is not None
        try:
            do(kernel.outside.writer(mount.host))
        except OSError as error:
            return NUMBERS.get(host_errno.errorcode.get(error.errno or 0, "EIO"), EIO)
        return 0

    failed = kernel.ask("root", question, 0)
    if failed:
        raise Refused(fail(failed, "ROOT-7"))


# Names.


def _rename_names(kernel: Kernel, mount: Mount, number: int, names: tuple[tuple[int, bytes], ...]) -> None:
    known = mount.names.set(number, names) if names else mount.names.remove(number)
    kernel.mounts = kernel.mounts.set(mount.number, replace(mount, names=known))


def named(kernel: Kernel, number: int, parent: int, name: bytes) -> None:
    """Inode ``number`` has that name on the host."""
    mount = _mount(kernel, inodes.get(kernel, number))
    if mount is not None:
        _rename_names(kernel, mount, number, (*(mount.names.get(number) or ()), (parent, name)))


def _unnamed(kernel: Kernel, number: int, parent: int, name: bytes) -> None:
    """Inode ``number`` has lost that name on the host."""
    mount = _mount(kernel, inodes.get(kernel, number))
    if mount is not None and number in mount.names:
        left = tuple(one for one in mount.names[number] if one != (parent, name))
        _rename_names(kernel, mount, number, left)


def taken(kernel: Kernel, number: int, parent: int, entry: HostEntry) -> None:
    """The host entry of directory ``parent`` became inode ``number``."""
    mount = _mount(kernel, inodes.get(kernel, number))
    if mount is not None and mount.host is not None:
        kernel.outside.writer(mount.host).know(number, entry.identity)
        named(kernel, number, parent, entry.name)


def make(kernel: Kernel, parent: Inode, name: bytes, mode: int, target: bytes) -> bool:
    """Make on the host what will be the next new inode; whether it is there then, and so has to be `named`."""
    mount = _mount(kernel, parent)
    path = None if mount is None else _join(mount, parent.number, name)
    if mount is None or path is None:
        return False
    if mode & S_IFMT in (S_IFCHR, S_IFBLK):
        raise Refused(fail(EPERM, "ROOT-9"))
    if mode & S_IFMT not in _MADE:
        return False
    number = (kernel.counters.get(IdKind.INODE) or 0) + 1
    _tell(kernel, mount, lambda host: host.make(number, path, mode, target))
    return True


def link(kernel: Kernel, inode: Inode, parent: int, name: bytes) -> None:
    """Give ``inode`` a further name."""
    mount = _mount(kernel, inode)
    old = None if mount is None else _path(mount, inode.number)
    if mount is None or old is None:
        return
    new = _join(mount, parent, name)
    if new is not None:
        _tell(kernel, mount, lambda host: host.link(inode.number, old, new))
        named(kernel, inode.number, parent, name)


def remove(kernel: Kernel, inode: Inode, parent: int, name: bytes) -> None:
    """Take that name from ``inode``."""
    mount = _mount(kernel, inode)
    if mount is None or (parent, name) not in (mount.names.get(inode.number) or ()):
        return
    path = _join(mount, parent, name)
    if path is not None:
        folder = inode.is_directory
        _tell(kernel, mount, lambda host: host.remove(inode.number, path, folder=folder))
        _unnamed(kernel, inode.number, parent, name)


def rename(
    kernel: Kernel,
    moved: Inode,
    old: tuple[int, bytes],
    new: tuple[int, bytes],
    victim: Inode | None,
    *,
    exchange: bool,
) -> None:
    """Move the name ``old`` of ``moved`` to ``new``, which ``victim`` has now; both are (parent, name)."""
    mount = _mount(kernel, moved)
    if mount is None:
        return
    here = old in (mount.names.get(moved.number) or ())
    there = victim is not None and new in (mount.names.get(victim.number) or ())
    source, target = _join(mount, *old), _join(mount, *new)
    if source is None or target is None:
        return
    if exchange:
        if victim is None or not (here and there):
            raise Refused(fail(EINVAL, "ROOT-8"))
        other = victim.number
        _tell(kernel, mount, lambda host: host.exchange(moved.number, source, other, target))
        _unnamed(kernel, other, *new)
        named(kernel, other, *old)
    elif here:
        replaced = victim.number if victim is not None and there else None
        _tell(kernel, mount, lambda host: host.rename(moved.number, source, target, replaced))
    if not exchange and victim is not None and there:
        if not here:
            remove(kernel, victim, *new)
        else:
            _unnamed(kernel, victim.number, *new)
    if here:
        _unnamed(kernel, moved.number, *old)
        named(kernel, moved.number, *new)


# Contents and what files say of themselves.


def _change(kernel: Kernel, inode: Inode, do: Callable[[HostWriter, bytes], None]) -> None:
    mount = _mount(kernel, inode)
    path = None if mount is None else _path(mount, inode.number)
    if mount is not None and path is not None:
        _tell(kernel, mount, lambda host: do(host, path))


def write(kernel: Kernel, inode: Inode, offset: int, data: bytes) -> None:
    """Put ``data`` into a regular file."""
    _change(kernel, inode, lambda host, path: host.write(inode.number, path, offset, data))


def resize(kernel: Kernel, inode: Inode, size: int) -> None:
    """Cut or extend a regular file."""
    _change(kernel, inode, lambda host, path: host.resize(inode.number, path, size))


def chmod(kernel: Kernel, inode: Inode, mode: int) -> None:
    """Set permissions."""
    _change(kernel, inode, lambda host, path: host.chmod(inode.number, path, mode))


def utime(kernel: Kernel, inode: Inode, atime: int | None, mtime: int | None) -> None:
    """Set times, ns since 1970, None to leave one, `NOW`."""
    _change(kernel, inode, lambda host, path: host.utime(inode.number, path, atime, mtime))


# What shared mappings changed.


def flush(kernel: Kernel, mapping: Mapping) -> None:
    """A shared mapping through which a file may have been written is gone, or asked to be written back: the host gets
    the pages. Nobody waits for the answer: a refusal is a warning.
    """
    if mapping.inode is None or not mapping.flags & MAP_SHARED or not mapping.prot & PROT_WRITE:
        return
    inode = inodes.get(kernel, mapping.inode)
    if inode.backing is None or _mount(kernel, inode) is None:
        return
    start = mapping.backing_page * PAGE
    count = min(mapping.count * PAGE, inode.size - start)
    if count <= 0:
        return
    try:
        write(kernel, inode, start, kernel.backings.store(inode.backing).read(start, count))
    except Refused as refusal:
        kernel.warn(f"a shared mapping of inode {inode.number} could not be written back: {refusal.result}")


def flush_all(kernel: Kernel, number: int | None = None) -> None:
    """Write back the shared mappings of all cages, or those of file ``number``."""
    for cage in kernel.cages.values():
        for mapping in cage.vmmap.values():
            if mapping.inode is not None and number in (None, mapping.inode):
                flush(kernel, mapping)


def sync(kernel: Kernel, inode: Inode) -> None:
    """Make a file durable on the host."""
    flush_all(kernel, inode.number)
    if inode.is_file:
        _change(kernel, inode, lambda host, path: host.sync(inode.number, path))
