"""Names for what is there already, and new kinds of names: link, rename, symlink, readlink, mknod.

Rules NAME-1 to NAME-12 in spec/paths.md.
"""

from __future__ import annotations

from lindref.posix import paths
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.constants import PATH_MAX
from lindref.posix.errno import EFAULT, EINVAL, ENAMETOOLONG, ENOENT, EPERM
from lindref.posix.errors import fail
from lindref.posix.fs import inodes, tree
from lindref.posix.fs.numbers import (
    PERMISSIONS,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    RENAME_WHITEOUT,
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
)
from lindref.posix.fs.walk import Follow
from lindref.posix.kernel import Kernel
from lindref.posix.params import RESULT, CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result


def link(kernel: Kernel, call: Call) -> Result:
    """Give a file a further name; a link at the end of the old path is linked itself (NAME-6)."""
    # Arguments.
    old = paths.path(kernel, call, 0)
    new = paths.path(kernel, call, 1)
    # Errors.
    inode = old.walk(kernel, Follow.NO).found(kernel)
    place = new.walk(kernel, Follow.NAME)
    tree.require_new(kernel, place)
    tree.require_linkable(kernel, inode, place)
    if inode.is_directory:
        return fail(EPERM, "NAME-6")
    # Effect.
    tree.add_name(kernel, place, inode.number)
    # Result.
    return Done(0)


# Renaming.


def _rename(kernel: Kernel, old: paths.Path, new: paths.Path, flags: int) -> Result:
    """Move a name (NAME-7 to NAME-9)."""
    source = old.walk(kernel, Follow.NAME)
    target = new.walk(kernel, Follow.NAME)
    if tree.require_rename(kernel, source, target, flags):
        tree.rename(kernel, source, target, flags)
    return Done(0)


def rename(kernel: Kernel, call: Call) -> Result:
    """Move a name (NAME-7)."""
    return _rename(kernel, paths.path(kernel, call, 0), paths.path(kernel, call, 1), 0)


def renameat(kernel: Kernel, call: Call) -> Result:
    """`rename` with paths relative to directories (NAME-7, PATH-11)."""
    return _rename(kernel, paths.path_at(kernel, call, 0, 1), paths.path_at(kernel, call, 2, 3), 0)


def renameat2(kernel: Kernel, call: Call) -> Result:
    """`renameat` with flags: not to replace, to exchange, to leave a whiteout (NAME-9)."""
    flags = call.u32(4)
    known = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT
    if flags & ~known or (flags & RENAME_EXCHANGE and flags != RENAME_EXCHANGE):
        return fail(EINVAL, "NAME-9")
    if flags & RENAME_WHITEOUT and kernel.identity.uid:
        return fail(EPERM, "NAME-9")
    return _rename(kernel, paths.path_at(kernel, call, 0, 1), paths.path_at(kernel, call, 2, 3), flags)


# Symbolic links.


def _symlink(kernel: Kernel, said: bytes, where: paths.Path) -> Result:
    """Make a link that says ``said``, whatever that is (NAME-10)."""
    place = where.walk(kernel, Follow.NAME)
    tree.require_new(kernel, place)
    tree.create(kernel, place, S_IFLNK | 0o777, 0, target=said, size=len(said))
    return Done(0)


def _said(kernel: Kernel, call: Call) -> bytes:
    """What the link is to say: argument 0."""
    said = paths.text(kernel, call, 0, "the target of the link")
    if not said:
        raise Refused(fail(ENOENT, "NAME-10"))
    if len(said) >= PATH_MAX:
        raise Refused(fail(ENAMETOOLONG, "NAME-10"))
    return said


def symlink(kernel: Kernel, call: Call) -> Result:
    """Make a symbolic link (NAME-10)."""
    return _symlink(kernel, _said(kernel, call), paths.path(kernel, call, 1))


def symlinkat(kernel: Kernel, call: Call) -> Result:
    """`symlink` at a path relative to a directory (NAME-10, PATH-11)."""
    return _symlink(kernel, _said(kernel, call), paths.path_at(kernel, call, 1, 2, panics=False))


def _readlink(kernel: Kernel, where: paths.Path, address: int, size: int) -> Result:
    """What a link says, cut to ``size`` bytes, without a NUL (NAME-11)."""
    inode = paths.target(kernel, where, Follow.NO).found(kernel)
    if not inode.is_link:
        return fail(EINVAL, "NAME-11")
    data = inode.target[:size]
    if not user.copy_out(kernel, address, data):
        return fail(EFAULT, "NAME-11")
    return Done(len(data))


def readlink(kernel: Kernel, call: Call) -> Result:
    """What a symbolic link says (NAME-11)."""
    if call.i32(2) <= 0:
        return fail(EINVAL, "NAME-11")
    return _readlink(kernel, paths.path(kernel, call, 0), call.value(1), call.i32(2))


def readlinkat(kernel: Kernel, call: Call) -> Result:
    """`readlink` of a path relative to a directory; an empty path means the link that was opened with O_PATH
    (NAME-11).
    """
    if call.i32(3) <= 0:
        return fail(EINVAL, "NAME-11")
    where = paths.path_at(kernel, call, 0, 1, empty=True, panics=False)
    if not where.text and not _is_link(kernel, where.start):
        return fail(EINVAL if kernel.profile.has("PATH-EMPTY") else ENOENT, "NAME-11")
    return _readlink(kernel, where, call.value(2), call.i32(3))


def _is_link(kernel: Kernel, number: int) -> bool:
    """Whether a file that is open is a symbolic link."""
    return bool(number) and inodes.get(kernel, number).is_link


# Special files.


def mknod(kernel: Kernel, call: Call) -> Result:
    """Make a regular file, FIFO, socket or device (NAME-12)."""
    # Arguments.
    mode, rdev = call.u32(1), call.value(2)
    kind = mode & S_IFMT or S_IFREG
    # Errors.
    if kind == S_IFDIR:
        return fail(EPERM, "NAME-12")
    if kind not in (S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK):
        return fail(EINVAL, "NAME-12")
    place = paths.path(kernel, call, 0).walk(kernel, Follow.NAME)
    tree.require_new(kernel, place)
    is_device = kind in (S_IFCHR, S_IFBLK)
    if is_device and kernel.identity.uid:
        return fail(EPERM, "NAME-12")
    # Effect.
    umask = kernel.cage(call.target).umask
    tree.create(kernel, place, kind | mode & PERMISSIONS, umask, rdev=rdev if is_device else 0)
    # Result.
    return Done(0)


_OLD = Param("oldpath", ParamKind.PATH)
_NEW = Param("newpath", ParamKind.PATH)
_OLD_DIR = Param("olddirfd", ParamKind.DIRFD)
_NEW_DIR = Param("newdirfd", ParamKind.DIRFD)
_PATH = Param("path", ParamKind.PATH)
_DIRFD = Param("dirfd", ParamKind.DIRFD)
_SAID = Param("target", ParamKind.CSTRING)
_BUFFER = Param("buf", ParamKind.BUFFER, Direction.OUT, length=RESULT)
_SIZE = Param("bufsiz", ParamKind.SIZE)

CALLS: tuple[CallRow, ...] = (
    CallRow(82, "rename", (_OLD, _NEW), rename),
    CallRow(86, "link", (_OLD, _NEW), link),
    CallRow(88, "symlink", (_SAID, _PATH), symlink),
    CallRow(89, "readlink", (_PATH, _BUFFER, _SIZE), readlink, ReturnKind.COUNT),
    CallRow(133, "mknod", (_PATH, Param("mode", ParamKind.MODE), Param("dev", ParamKind.DEVICE)), mknod),
    CallRow(264, "renameat", (_OLD_DIR, _OLD, _NEW_DIR, _NEW), renameat),
    CallRow(266, "symlinkat", (_SAID, _DIRFD, _PATH), symlinkat),
    CallRow(267, "readlinkat", (_DIRFD, _PATH, _BUFFER, _SIZE), readlinkat, ReturnKind.COUNT),
    CallRow(
        316,
        "renameat2",
        (_OLD_DIR, _OLD, _NEW_DIR, _NEW, Param("flags", ParamKind.FLAGS, names="rename")),
        renameat2,
    ),
)
