"""Changing the tree: giving and taking names.

Each change comes with its check (``require_…``), which refuses with the error that the call reports and changes
nothing; the change itself then cannot fail.
"""

from __future__ import annotations

from typing import Any

from lindref.posix.errno import (
    EACCES,
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    EMLINK,
    ENOENT,
    ENOTDIR,
    ENOTEMPTY,
    EPERM,
    EXDEV,
)
from lindref.posix.errors import fail
from lindref.posix.fs import access, directory, inodes, mirror
from lindref.posix.fs.numbers import (
    NLINK_MAX,
    PERMISSIONS,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    RENAME_WHITEOUT,
    S_IFCHR,
    S_IFDIR,
    S_IFMT,
    S_ISGID,
    W_OK,
    X_OK,
)
from lindref.posix.fs.populate import directory_of, file_of
from lindref.posix.fs.records import Directory, Inode
from lindref.posix.fs.walk import Last, Place
from lindref.posix.kernel import Kernel
from lindref.posix.result import Refused
from lindref.state.records import replace


def require_new(kernel: Kernel, place: Place, *, folder: bool = False) -> None:
    """Refuse unless a new name can be made at ``place``: EEXIST for one that is there, ENOENT for a trailing slash
    (unless a directory is made) or a directory that was removed, EACCES without permission (NAME-1).
    """
    if place.last is not Last.NAME or place.inode is not None:
        raise Refused(fail(EEXIST, "NAME-1"))
    if place.slash and not folder:
        raise Refused(fail(ENOENT, "NAME-1"))
    parent = inodes.get(kernel, place.parent)
    if not parent.nlink or inodes.made_up(parent.number):
        raise Refused(fail(ENOENT, "NAME-1"))
    access.require(kernel, parent, W_OK | X_OK, "NAME-1")


def add_name(kernel: Kernel, place: Place, number: int, *, told: bool = True) -> None:
    """Give inode ``number`` the name at ``place`` (NAME-2); ``told``: on the host too, where the root is written
    through.
    """
    if told:
        mirror.link(kernel, inodes.get(kernel, number), place.parent, place.name)
    parent = inodes.get(kernel, place.parent)
    held = directory.insert(directory_of(kernel, parent), place.name, number)
    inodes.change(kernel, parent.number, directory=held, mtime=kernel.wall, ctime=kernel.wall)
    inode = inodes.get(kernel, number)
    inodes.change(kernel, number, nlink=inode.nlink + 1, ctime=kernel.wall)
    if inode.is_directory:
        _count_folder(kernel, parent.number, +1)


def create(
    kernel: Kernel, place: Place, mode: int, umask: int, *, mount: int | None = None, **fields: Any
) -> Inode:
    """Make a new inode at ``place``, which passed `require_new` (NAME-3).

    ``mode`` has the type and the permissions asked for, from which ``umask`` takes. In a directory with the set-group
    bit the new file has its group, and a new directory the bit too.
    """
    parent = inodes.get(kernel, place.parent)
    folder = mode & S_IFMT == S_IFDIR
    mode &= S_IFMT | (PERMISSIONS & ~umask)
    if parent.mode & S_ISGID:
        fields["gid"] = parent.gid
        mode |= S_ISGID if folder else 0
    if folder:
        fields["directory"] = Directory(parent.number)
    there = mount is None and mirror.make(kernel, parent, place.name, mode, fields.get("target", b""))
    inode = inodes.new(kernel, mode, parent.mount if mount is None else mount, **fields)
    if folder:
        inodes.change(kernel, inode.number, nlink=1)  # its own "."
    add_name(kernel, place, inode.number, told=False)
    if there:
        mirror.named(kernel, inode.number, place.parent, place.name)
    return inodes.get(kernel, inode.number)


def require_removable(kernel: Kernel, place: Place, *, folder: bool) -> Inode:
    """The inode at ``place``, if it may lose its name: by unlink, or by rmdir for a ``folder`` (NAME-4, NAME-5)."""
    if folder:
        if place.last is Last.DOT:
            raise Refused(fail(EINVAL, "NAME-5"))
        if place.last is Last.DOTDOT:
            raise Refused(fail(ENOTEMPTY, "NAME-5"))
        if place.last is Last.ROOT:
            raise Refused(fail(EBUSY, "NAME-5"))
    elif place.last is not Last.NAME:
        raise Refused(fail(EISDIR, "NAME-4"))
    if place.inode is None:
        raise Refused(fail(ENOENT, "PATH-5"))
    inode = inodes.get(kernel, place.inode)
    if place.slash and not inode.is_directory:
        raise Refused(fail(ENOTDIR, "PATH-10"))
    if place.slash and not folder:
        raise Refused(fail(EISDIR, "NAME-4"))
    parent = inodes.get(kernel, place.parent)
    if inodes.made_up(parent.number):
        raise Refused(fail(EPERM, "PROC-1"))
    access.require_removable(kernel, parent, inode)
    if folder and not inode.is_directory:
        raise Refused(fail(ENOTDIR, "NAME-5"))
    if not folder and inode.is_directory:
        raise Refused(fail(EISDIR, "NAME-4"))
    if is_mount_point(kernel, inode):
        raise Refused(fail(EBUSY, "NAME-5"))
    if folder and len(directory_of(kernel, inode).entries):
        raise Refused(fail(ENOTEMPTY, "NAME-5"))
    return inode


def remove_name(kernel: Kernel, place: Place, *, told: bool = True) -> None:
    """Take the name at ``place``; the inode goes when that was its last and nobody has it open (INODE-1). ``told``: on
    the host too, where the root is written through.
    """
    assert place.inode is not None
    if told:
        inode = inodes.get(kernel, place.inode)
        if inode.is_file and inode.pins:
            file_of(kernel, inode.number)  # whoever has it open may go on reading
        mirror.remove(kernel, inode, place.parent, place.name)
    parent = inodes.get(kernel, place.parent)
    held = directory.remove(directory_of(kernel, parent), place.name)
    inodes.change(kernel, parent.number, directory=held, mtime=kernel.wall, ctime=kernel.wall)
    _dropped(kernel, place, inodes.get(kernel, place.inode))


def require_linkable(kernel: Kernel, inode: Inode, place: Place) -> None:
    """Refuse unless ``inode`` may get the further name at ``place`` (NAME-6): EXDEV across mounts, EMLINK for too
    many names. Directories, which never may, are the caller's to refuse.
    """
    if inode.mount != inodes.get(kernel, place.parent).mount:
        raise Refused(fail(EXDEV, "NAME-6"))
    if inode.nlink >= NLINK_MAX:
        raise Refused(fail(EMLINK, "NAME-6"))


def is_mount_point(kernel: Kernel, inode: Inode) -> bool:
    """Whether ``inode`` is the root of a mount."""
    root: int = kernel.mounts[inode.mount].root
    return root == inode.number


def is_below(kernel: Kernel, number: int, ancestor: int) -> bool:
    """Whether directory ``number`` is ``ancestor`` or lies below it."""
    while number != ancestor:
        parent = directory_of(kernel, inodes.get(kernel, number)).parent
        if parent == number:
            return False
        number = parent
    return True


def require_rename(kernel: Kernel, old: Place, new: Place, flags: int) -> bool:
    """Refuse a rename that cannot be done (NAME-7 to NAME-9); False when both names mean the same file and nothing is
    to do.
    """
    mounts = {inodes.get(kernel, number).mount for number in (old.parent, new.parent, old.inode or old.parent)}
    if len(mounts) > 1:
        raise Refused(fail(EXDEV, "NAME-7"))
    if old.last is not Last.NAME:
        raise Refused(fail(EBUSY, "NAME-7"))
    if new.last is not Last.NAME:
        raise Refused(fail(EEXIST if flags & RENAME_NOREPLACE else EBUSY, "NAME-7"))
    if old.inode is None:
        raise Refused(fail(ENOENT, "PATH-5"))
    moved = inodes.get(kernel, old.inode)
    if inodes.made_up(old.parent):
        raise Refused(fail(EPERM, "PROC-1"))
    victim = None if new.inode is None else inodes.get(kernel, new.inode)
    if flags & RENAME_NOREPLACE and victim is not None:
        raise Refused(fail(EEXIST, "NAME-9"))
    if flags & RENAME_EXCHANGE:
        if victim is None:
            raise Refused(fail(ENOENT, "NAME-9"))
        if new.slash and not victim.is_directory:
            raise Refused(fail(ENOTDIR, "PATH-10"))
    if not moved.is_directory and (old.slash or (new.slash and not flags & RENAME_EXCHANGE)):
        raise Refused(fail(ENOTDIR, "PATH-10"))
    _require_no_cycle(kernel, moved, victim, old, new, flags)
    if victim is not None and victim.number == moved.number:
        return False
    old_parent, new_parent = inodes.get(kernel, old.parent), inodes.get(kernel, new.parent)
    access.require_removable(kernel, old_parent, moved)
    if victim is None:
        if not new_parent.nlink:
            raise Refused(fail(ENOENT, "NAME-1"))
        access.require(kernel, new_parent, W_OK | X_OK, "NAME-1")
    else:
        access.require_removable(kernel, new_parent, victim)
        if not flags & RENAME_EXCHANGE:
            _require_replaceable(kernel, moved, victim)
    for inode in (moved, victim):
        if inode is not None and is_mount_point(kernel, inode):
            raise Refused(fail(EBUSY, "NAME-7"))
    # A directory that gets another parent has its ".." rewritten, which takes permission to write it.
    if moved.is_directory and old.parent != new.parent and not access.may(kernel, moved, W_OK):
        raise Refused(fail(EACCES, "NAME-8"))
    return True


def _require_no_cycle(
    kernel: Kernel, moved: Inode, victim: Inode | None, old: Place, new: Place, flags: int
) -> None:
    """A directory cannot go below itself, nor replace one that it lies below (NAME-8)."""
    if moved.is_directory and is_below(kernel, new.parent, moved.number):
        raise Refused(fail(EINVAL, "NAME-8"))
    if victim is not None and victim.is_directory and is_below(kernel, old.parent, victim.number):
        raise Refused(fail(EINVAL if flags & RENAME_EXCHANGE else ENOTEMPTY, "NAME-8"))


def _require_replaceable(kernel: Kernel, moved: Inode, victim: Inode) -> None:
    """A directory replaces only an empty directory, and nothing else replaces a directory (NAME-8)."""
    if moved.is_directory and not victim.is_directory:
        raise Refused(fail(ENOTDIR, "NAME-8"))
    if not moved.is_directory and victim.is_directory:
        raise Refused(fail(EISDIR, "NAME-8"))
    if victim.is_directory and len(directory_of(kernel, victim).entries):
        raise Refused(fail(ENOTEMPTY, "NAME-8"))


def rename(kernel: Kernel, old: Place, new: Place, flags: int) -> None:
    """Do a rename that passed `require_rename`: one step, no moment without either name (NAME-7)."""
    assert old.inode is not None
    moved = inodes.get(kernel, old.inode)
    victim = None if new.inode is None else inodes.get(kernel, new.inode)
    exchange = bool(flags & RENAME_EXCHANGE)
    if victim is not None and victim.is_file and victim.pins:
        file_of(kernel, victim.number)  # whoever has it open may go on reading
    mirror.rename(kernel, moved, (old.parent, old.name), (new.parent, new.name), victim, exchange=exchange)
    if exchange:
        assert victim is not None
        _set_entry(kernel, old, victim.number)
        _set_entry(kernel, new, moved.number)
        _moved(kernel, victim, new.parent, old.parent)
    else:
        if flags & RENAME_WHITEOUT:
            mark = inodes.new(kernel, S_IFCHR, moved.mount, nlink=1)
            _set_entry(kernel, old, mark.number)
        else:
            parent = inodes.get(kernel, old.parent)
            held = directory.remove(directory_of(kernel, parent), old.name)
            inodes.change(kernel, old.parent, directory=held, mtime=kernel.wall, ctime=kernel.wall)
        if victim is None:
            parent = inodes.get(kernel, new.parent)
            held = directory.insert(directory_of(kernel, parent), new.name, moved.number)
            inodes.change(kernel, new.parent, directory=held, mtime=kernel.wall, ctime=kernel.wall)
        else:
            _set_entry(kernel, new, moved.number)
            _dropped(kernel, new, victim)
    _moved(kernel, moved, old.parent, new.parent)


def _set_entry(kernel: Kernel, place: Place, number: int) -> None:
    parent = inodes.get(kernel, place.parent)
    held = directory.replace(directory_of(kernel, parent), place.name, number)
    inodes.change(kernel, place.parent, directory=held, mtime=kernel.wall, ctime=kernel.wall)


def _dropped(kernel: Kernel, place: Place, inode: Inode) -> None:
    """``inode`` lost its name at ``place``; a directory loses its "." with it."""
    if inode.pins:
        inodes.change(kernel, inode.number, was=(place.parent, place.name))
    if inode.is_directory:
        _count_folder(kernel, place.parent, -1)
        inodes.unlinked(kernel, inode.number, inode.nlink)
    else:
        inodes.unlinked(kernel, inode.number)


def _moved(kernel: Kernel, inode: Inode, before: int, after: int) -> None:
    """``inode`` went from one directory to another (or stayed)."""
    inodes.change(kernel, inode.number, ctime=kernel.wall)
    if inode.is_directory and before != after:
        held = replace(directory_of(kernel, inode), parent=after)
        inodes.change(kernel, inode.number, directory=held)
        _count_folder(kernel, before, -1)
        _count_folder(kernel, after, +1)


def _count_folder(kernel: Kernel, parent: int, by: int) -> None:
    """A directory's names count the ".." of what it holds."""
    inodes.change(kernel, parent, nlink=inodes.get(kernel, parent).nlink + by)
