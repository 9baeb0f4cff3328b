"""Bringing host files into the model on first use.

A directory of the host becomes inodes when somebody looks into it, a file gets its bytes when somebody opens it; from
then on they are the model's own, and the host is never written (ROOT-3, ROOT-4).
"""

from __future__ import annotations

import errno as host_errno

from lindref.hashing import blake2b
from lindref.posix.errno import EIO, NUMBERS
from lindref.posix.errors import fail
from lindref.posix.fs import directory, inodes, mirror
from lindref.posix.fs.hosttree import HostEntry, HostTree
from lindref.posix.fs.numbers import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from lindref.posix.fs.records import Directory, Inode, Mount
from lindref.posix.kernel import Kernel
from lindref.posix.result import Refused
from lindref.state.records import replace


def directory_of(kernel: Kernel, inode: Inode) -> Directory:
    """What the directory ``inode`` holds, read in from the host on first use (ROOT-4)."""
    if inode.host is not None:
        inode = _read_directory(kernel, inode)
    assert inode.directory is not None, f"inode {inode.number} is no directory"
    return inode.directory


def file_of(kernel: Kernel, number: int) -> Inode:
    """The regular file ``number`` with its bytes at hand, read in from the host on first use (ROOT-4)."""
    inode = inodes.get(kernel, number)
    if inode.host is None or not inode.is_file:
        return inode
    tree = _tree(kernel, inode)
    try:
        data = tree.contents(mirror.host_path(kernel, inode), _fresh(kernel, inode))
    except OSError as error:
        raise _refused(error) from None
    backing = inode.backing
    if data:
        backing = kernel.backings.create()
        kernel.backings.store(backing).write(0, data)
    return inodes.change(kernel, number, host=None, backing=backing, size=len(data))


def forget_host(kernel: Kernel, number: int) -> Inode:
    """The file ``number`` without its host bytes: it is about to be emptied anyway."""
    return inodes.change(kernel, number, host=None, size=0)


def _read_directory(kernel: Kernel, inode: Inode) -> Inode:
    """Make inodes for all that the host directory of ``inode`` holds."""
    tree = _tree(kernel, inode)
    assert inode.host is not None
    assert inode.directory is not None
    try:
        entries = tree.entries(mirror.host_path(kernel, inode), _fresh(kernel, inode))
    except OSError as error:
        raise _refused(error) from None
    held = inode.directory
    folders = 0
    for entry in entries:
        path = inode.host + b"/" + entry.name if inode.host else entry.name
        number = _take(kernel, inode, entry, path)
        held = directory.insert(held, entry.name, number)
        mirror.taken(kernel, number, inode.number, entry)
        folders += entry.mode & S_IFMT == S_IFDIR
    return inodes.change(kernel, inode.number, host=None, directory=held, nlink=2 + folders)


def _take(kernel: Kernel, parent: Inode, entry: HostEntry, path: bytes) -> int:
    """The number of the inode for a host entry of directory ``parent``. Owners are the guest's identity, all times
    the host's time of last change: whoever reads it leaves no trace in them (ROOT-6).
    """
    kind = entry.mode & S_IFMT
    mount: Mount = kernel.mounts[parent.mount]
    twin = _twin_key(entry) if kind == S_IFREG and entry.nlink > 1 else None
    if twin is not None and (known := mount.twins.get(twin)) is not None and known in kernel.inodes:
        return known
    times = {"atime": entry.mtime_ns, "mtime": entry.mtime_ns, "ctime": entry.mtime_ns}
    inode = inodes.new(
        kernel,
        entry.mode,
        parent.mount,
        nlink=entry.nlink if twin is not None else 1,
        size=entry.size if kind == S_IFREG else len(entry.target) if kind == S_IFLNK else 0,
        rdev=entry.rdev,
        target=entry.target,
        directory=Directory(parent.number) if kind == S_IFDIR else None,
        host=path if kind in (S_IFDIR, S_IFREG) else None,
        **times,
    )
    if kind == S_IFDIR:
        inodes.change(kernel, inode.number, nlink=max(entry.nlink, 2))
    if twin is not None:
        kernel.mounts = kernel.mounts.set(mount.number, replace(mount, twins=mount.twins.set(twin, inode.number)))
    return inode.number


def _twin_key(entry: HostEntry) -> int:
    """The key of a host file with several names."""
    return int.from_bytes(blake2b(repr(entry.identity).encode(), digest_size=8).digest(), "little")


def _fresh(kernel: Kernel, inode: Inode) -> int:
    """What makes a question to the host another one than before: paths may change their meaning where the run writes
    there, and nowhere else.
    """
    return inode.number if kernel.mounts[inode.mount].writes else 0


def _tree(kernel: Kernel, inode: Inode) -> HostTree:
    """The open host directory of the mount of ``inode``."""
    mount: Mount = kernel.mounts[inode.mount]
    assert mount.host is not None
    return kernel.outside.tree(mount.host)


def _refused(error: OSError) -> Refused:
    """A host failure as the guest sees it: the same error by name, EIO for one that guests do not know (ROOT-7)."""
    name = host_errno.errorcode.get(error.errno or 0, "EIO")
    return Refused(fail(NUMBERS.get(name, EIO), "ROOT-7"))
