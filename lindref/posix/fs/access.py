"""Who may do what with an inode: the classic permission bits.

All cages act as the one identity of the kernel (its host process in the real system). User 0 may read and write
everything, and execute what anybody may execute.
"""

from __future__ import annotations

from lindref.posix.errno import EACCES, EPERM
from lindref.posix.errors import fail
from lindref.posix.fs.numbers import R_OK, S_ISVTX, W_OK, X_OK
from lindref.posix.fs.records import Inode
from lindref.posix.kernel import Kernel
from lindref.posix.result import Refused


def may(kernel: Kernel, inode: Inode, wanted: int) -> bool:
    """Whether the bits ``wanted`` (of R_OK, W_OK, X_OK) are granted on ``inode`` (PERM-1)."""
    who = kernel.identity
    if who.uid == 0:
        return not wanted & X_OK or inode.is_directory or bool(inode.mode & 0o111)
    if who.uid == inode.uid:
        granted = inode.mode >> 6
    elif who.gid == inode.gid:
        granted = inode.mode >> 3
    else:
        granted = inode.mode
    return not wanted & ~granted & 7


def owns(kernel: Kernel, inode: Inode) -> bool:
    """Whether the caller may do what only owners may (PERM-2)."""
    return kernel.identity.uid in (0, inode.uid)


def require(kernel: Kernel, inode: Inode, wanted: int, rule: str = "PERM-1") -> None:
    """Refuse with EACCES unless `may`."""
    if not may(kernel, inode, wanted):
        raise Refused(fail(EACCES, rule))


def require_owner(kernel: Kernel, inode: Inode) -> None:
    """Refuse with EPERM unless `owns` (PERM-2)."""
    if not owns(kernel, inode):
        raise Refused(fail(EPERM, "PERM-2"))


def require_removable(kernel: Kernel, parent: Inode, child: Inode) -> None:
    """Refuse unless ``child`` may lose its name in ``parent``: the directory must be writable, and a sticky one lets
    only the owner of file or directory do it (PERM-3).
    """
    require(kernel, parent, W_OK | X_OK, "PERM-3")
    if parent.mode & S_ISVTX and not (owns(kernel, parent) or owns(kernel, child)):
        raise Refused(fail(EPERM, "PERM-3"))


def wanted_for_open(flags: int) -> int:
    """The permission bits that opening with ``flags`` asks for: access mode 3 asks for both."""
    return (R_OK, W_OK, R_OK | W_OK, R_OK | W_OK)[flags & 3]
