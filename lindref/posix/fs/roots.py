"""Making the root: a blank one, a copy-on-write view of a host directory, or one that is written through to it; and
putting files into it from outside, which is never seen on the host.

Rules ROOT-1 to ROOT-9 in spec/paths.md.
"""

from __future__ import annotations

import os

from lindref.posix.errno import name_of
from lindref.posix.fs import content, inodes, procfs
from lindref.posix.fs.devices import DEVICES
from lindref.posix.fs.hosttree import RootError
from lindref.posix.fs.numbers import PERMISSIONS, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG
from lindref.posix.fs.records import ROOT_MOUNT, Directory, Inode, Mount
from lindref.posix.fs.tree import add_name, create, remove_name, require_new
from lindref.posix.fs.walk import Follow, Place, root_of, walk
from lindref.posix.kernel import IdKind, Kernel
from lindref.posix.result import Done, Refused

__all__ = [
    "MODES",
    "RootError",
    "add_device",
    "add_dir",
    "add_fifo",
    "add_file",
    "add_link",
    "add_symlink",
    "blank",
    "copy_on_write",
    "open_root",
    "write_through",
]

#: What is put into a root that is written through lives in a mount of its own, in memory.
_OWN_MOUNT = 2

#: The ways a root can be made.
MODES = ("cow", "write", "blank")


def open_root(kernel: Kernel, mode: str, path: str | None = None) -> None:
    """Make the root in one of `MODES`; ``path`` is the host directory, if it shows one. Raises `RootError`."""
    if mode == "blank":
        blank(kernel)
    elif mode == "cow":
        copy_on_write(kernel, path or ".")
    elif mode == "write":
        write_through(kernel, path or ".")
    else:
        raise RootError(f"unknown root mode {mode!r} ({', '.join(MODES)})")


def blank(kernel: Kernel) -> None:
    """A root in memory that holds only the standard files (ROOT-1)."""
    _mount_root(kernel, S_IFDIR | 0o755, None)
    add_dir(kernel, b"/tmp", 0o1777)
    add_dir(kernel, b"/dev")
    if kernel.profile.has("DEV-PLAIN"):
        add_file(kernel, b"/dev/null", b"")
    _add_standard(kernel)


def copy_on_write(kernel: Kernel, path: str) -> None:
    """A root that shows the host directory ``path``; nothing is ever written to it (ROOT-3). Raises `RootError`."""
    path = os.path.realpath(path)
    top = kernel.outside.tree(path).top()
    _mount_root(kernel, top.mode, path)
    _add_standard(kernel)


def write_through(kernel: Kernel, path: str) -> None:
    """A root that shows the host directory ``path`` and is written through to it (ROOT-8). Raises `RootError`."""
    path = os.path.realpath(path)
    top = kernel.outside.tree(path).top()
    _mount_root(kernel, top.mode, path, writes=True)
    kernel.outside.writer(path).know(root_of(kernel), top.identity)
    kernel.mounts = kernel.mounts.set(_OWN_MOUNT, Mount(kernel.new_id(IdKind.MOUNT), 0))
    _add_standard(kernel)


def _own_mount(kernel: Kernel) -> int | None:
    """The mount for what is put in here: that of the directory it is in, unless that is the host's."""
    return _OWN_MOUNT if kernel.mounts[ROOT_MOUNT].writes else None


def _mount_root(kernel: Kernel, mode: int, host: str | None, *, writes: bool = False) -> None:
    """The root directory of the root mount."""
    number = kernel.new_id(IdKind.MOUNT)
    assert number == ROOT_MOUNT, "there is a root already"
    root = inodes.new(kernel, mode, number, nlink=2, host=None if host is None else b"")
    inodes.change(kernel, root.number, directory=Directory(root.number))
    kernel.mounts = kernel.mounts.set(number, Mount(number, root.number, host, writes=writes))


def _add_standard(kernel: Kernel) -> None:
    """What every root has, where the host directory does not have it (ROOT-2)."""
    if kernel.profile.has("DEV-PLAIN"):
        return
    if _place(kernel, b"/tmp").inode is None:
        add_dir(kernel, b"/tmp", 0o1777)
    for name, number in DEVICES.items():
        path = b"/dev/" + name.encode()
        if _place(kernel, path).inode is None:
            add_device(kernel, path, number)
    if _place(kernel, b"/dev/fd").inode is None:
        add_symlink(kernel, b"/dev/fd", b"/proc/self/fd")
    if _place(kernel, b"/proc").inode is None or _shows_processes(kernel):
        procfs.mount(kernel)


def _shows_processes(kernel: Kernel) -> bool:
    """Whether the host directory has the host's own /proc in its place."""
    try:
        return walk(kernel, b"/proc/self/status", root_of(kernel)).inode is not None
    except Refused:
        return False


# Putting files in.


def add_file(kernel: Kernel, path: bytes, data: bytes, mode: int = 0o644) -> Inode:
    """A regular file with ``data``; replaces a file of that name. Folders that are missing on the way are made."""
    place = _place(kernel, path, follow=Follow.YES)
    if place.inode is not None and inodes.get(kernel, place.inode).is_file:
        remove_name(kernel, place, told=False)
        place = _place(kernel, path, follow=Follow.YES)
    inode = _make(kernel, path, place, S_IFREG | mode & PERMISSIONS)
    if data:
        content.write(kernel, inode.number, 0, data)
    return inodes.get(kernel, inode.number)


def add_dir(kernel: Kernel, path: bytes, mode: int = 0o755) -> Inode:
    """A directory; one that is there gets the mode."""
    place = _place(kernel, path, follow=Follow.YES)
    if place.inode is not None and inodes.get(kernel, place.inode).is_directory:
        return inodes.change(kernel, place.inode, mode=S_IFDIR | mode & PERMISSIONS)
    return _make(kernel, path, place, S_IFDIR | mode & PERMISSIONS)


def add_symlink(kernel: Kernel, path: bytes, target: bytes) -> Inode:
    """A symbolic link that says ``target``."""
    return _make(kernel, path, _place(kernel, path), S_IFLNK | 0o777, target=target, size=len(target))


def add_fifo(kernel: Kernel, path: bytes, mode: int = 0o644) -> Inode:
    """A FIFO."""
    return _make(kernel, path, _place(kernel, path), S_IFIFO | mode & PERMISSIONS)


def add_device(kernel: Kernel, path: bytes, rdev: int, mode: int = 0o666) -> Inode:
    """A character device."""
    return _make(kernel, path, _place(kernel, path), S_IFCHR | mode & PERMISSIONS, rdev=rdev)


def add_link(kernel: Kernel, path: bytes, existing: bytes) -> Inode:
    """A further name for the file at ``existing``."""
    found = _place(kernel, existing).inode
    if found is None:
        raise RootError(f"{os.fsdecode(existing)}: no such file to link to")
    place = _place(kernel, path)
    _check_new(kernel, path, place)
    add_name(kernel, place, found, told=False)
    return inodes.get(kernel, found)


def _place(kernel: Kernel, path: bytes, follow: Follow = Follow.NO) -> Place:
    """The place of ``path``, with the folders on the way made."""
    root = root_of(kernel)
    folder = b""
    try:
        for part in path.split(b"/")[:-1]:
            folder += b"/" + part
            place = walk(kernel, folder, root)
            if place.inode is None:
                require_new(kernel, place, folder=True)
                create(kernel, place, S_IFDIR | 0o755, 0, mount=_own_mount(kernel))
        return walk(kernel, path, root, follow)
    except Refused as refusal:
        raise _error(path, refusal) from None


def _check_new(kernel: Kernel, path: bytes, place: Place, *, folder: bool = False) -> None:
    try:
        require_new(kernel, place, folder=folder)
    except Refused as refusal:
        raise _error(path, refusal) from None


def _make(kernel: Kernel, path: bytes, place: Place, mode: int, **fields: int | bytes) -> Inode:
    """A new inode at ``place`` with exactly ``mode``."""
    _check_new(kernel, path, place, folder=mode & S_IFDIR != 0)
    inode = create(kernel, place, mode, 0, mount=_own_mount(kernel), **fields)
    return inodes.change(kernel, inode.number, mode=mode)


def _error(path: bytes, refusal: Refused) -> RootError:
    """A refused step as one line."""
    result = refusal.result
    what = name_of(-result.value) if isinstance(result, Done) else str(result)
    return RootError(f"{os.fsdecode(path)}: cannot be added ({what})")
