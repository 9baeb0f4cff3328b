"""The walk along a path: from a string and a starting directory to a place in the tree.

Letters: ``here`` is the directory reached so far, ``pending`` the components still to do (last one first).
"""

from __future__ import annotations

from enum import Enum

from lindref import classes
from lindref.posix.errno import ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR
from lindref.posix.errors import fail
from lindref.posix.fs import access, directory, inodes, procfs
from lindref.posix.fs.numbers import LINK_MAX, NAME_MAX, X_OK
from lindref.posix.fs.populate import directory_of
from lindref.posix.fs.records import ROOT_MOUNT, Inode
from lindref.posix.kernel import Kernel
from lindref.posix.result import Refused


class Follow(Enum):
    """What to do with a symbolic link at the end of a path (PATH-8)."""

    #: Go on to what it means.
    YES = "yes"
    #: Stop at the link, unless a slash follows it.
    NO = "no"
    #: Stop at the link whatever follows: the caller removes or makes the name itself.
    NAME = "name"


class Last(Enum):
    """What the last component of a path is."""

    NAME = "name"
    DOT = "."
    DOTDOT = ".."
    ROOT = "/"


@classes.frozen
class Place:
    """Where a path leads. ``parent``: the directory that holds, or would hold, the name; ``inode``: what is there,
    None for nothing; ``slash``: whether the path ends with a slash. Without a last name (``last``) parent and inode
    are the same.
    """

    parent: int
    name: bytes
    last: Last
    inode: int | None
    slash: bool

    def found(self, kernel: Kernel) -> Inode:
        """The inode that is there; ENOENT without one (PATH-5), ENOTDIR for a slash after what is no directory
        (PATH-10).
        """
        if self.inode is None:
            raise Refused(fail(ENOENT, "PATH-5"))
        inode = inodes.get(kernel, self.inode)
        if self.slash and not inode.is_directory:
            raise Refused(fail(ENOTDIR, "PATH-10"))
        return inode


def root_of(kernel: Kernel) -> int:
    """The inode of the root directory."""
    number: int = kernel.mounts[ROOT_MOUNT].root
    return number


def _components(path: bytes) -> list[bytes]:
    """The components of ``path``, last one first."""
    return [part for part in reversed(path.split(b"/")) if part]


def walk(kernel: Kernel, path: bytes, start: int, follow: Follow = Follow.YES) -> Place:
    """The place that ``path`` means, relative paths beginning at inode ``start``.

    Refused with ENOENT, ENOTDIR, EACCES, ELOOP or ENAMETOOLONG when the way is barred (PATH-5 to PATH-8); that
    nothing is at its end is no error here.
    """
    root = root_of(kernel)
    here = inodes.get(kernel, root if path.startswith(b"/") else start)
    pending = _components(path)
    slash = path.endswith(b"/")
    links = 0
    last = Last.ROOT
    while pending:
        name = pending.pop()
        if not here.is_directory:
            raise Refused(fail(ENOTDIR, "PATH-5"))
        access.require(kernel, here, X_OK, "PATH-7")
        if name == b".":
            last = Last.DOT
            continue
        if name == b"..":
            last = Last.DOTDOT
            if here.number != root:  # the root's parent is the root (PATH-9)
                parent = directory_of(kernel, here).parent
                if not inodes.exists(kernel, parent):  # both were removed while somebody stood in the lower one
                    raise Refused(fail(ENOENT, "PATH-5"))
                here = inodes.get(kernel, parent)
            continue
        last = Last.NAME
        if len(name) > NAME_MAX:
            raise Refused(fail(ENAMETOOLONG, "PATH-6"))
        number = directory.lookup(directory_of(kernel, here), name)
        if number is None:
            if pending:
                raise Refused(fail(ENOENT, "PATH-5"))
            return Place(here.number, name, last, None, slash)
        found = inodes.get(kernel, number)
        onward = bool(pending) or follow is Follow.YES or (follow is Follow.NO and slash)
        if found.is_link and onward:
            links += 1
            if links > LINK_MAX:
                raise Refused(fail(ELOOP, "PATH-8"))
            past = procfs.jump(kernel, found.number)
            if past is not None:  # PROC-3
                if not pending:
                    return Place(here.number, name, last, past, slash)
                here = inodes.get(kernel, past)
                continue
            if not pending and found.target.endswith(b"/"):
                slash = True
            pending += _components(found.target)
            if found.target.startswith(b"/"):
                here = inodes.get(kernel, root)
                last = Last.ROOT
            continue
        if not pending:
            return Place(here.number, name, last, number, slash)
        here = found
    if not here.is_directory:
        raise Refused(fail(ENOTDIR, "PATH-5"))
    return Place(here.number, b"", last, here.number, slash)


def path_of(kernel: Kernel, number: int) -> bytes | None:
    """The absolute path of directory inode ``number``, found through its parents; None when it is no longer in the
    tree.
    """
    root = root_of(kernel)
    parts: list[bytes] = []
    while number != root:
        inode = inodes.get(kernel, number)
        if not inode.nlink:
            return None
        parent = directory_of(kernel, inode).parent
        for _, name, child in directory.listing(directory_of(kernel, inodes.get(kernel, parent)), parent, 2):
            if child == number:
                parts.append(name)
                break
        else:
            return None
        number = parent
    return b"/" + b"/".join(reversed(parts))
