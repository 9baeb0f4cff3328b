"""Directories as calls see them: making, removing and listing them, and working directories.

Rules DIR-1 to DIR-6 in spec/paths.md.
"""

from __future__ import annotations

from lindref.posix import fdtable, openfile, paths
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.errno import EFAULT, EINVAL, ENOENT, ENOTDIR, EPERM, ERANGE
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.fs import access, directory, inodes, populate, tree, walk
from lindref.posix.fs.numbers import AT_REMOVEDIR, S_IFDIR, S_ISVTX, X_OK
from lindref.posix.fs.records import Inode
from lindref.posix.fs.walk import Follow, Place
from lindref.posix.kernel import Kernel
from lindref.posix.params import RESULT, CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result

#: Bytes of a directory entry before its name.
_HEAD = 19

#: Largest buffer that is filled at once.
_BUFFER_MAX = 1 << 20


def mkdir(kernel: Kernel, call: Call) -> Result:
    """Make a directory (DIR-1)."""
    # Arguments.
    mode = call.u32(1)
    place = paths.path(kernel, call, 0).walk(kernel, Follow.NAME)
    # Errors.
    tree.require_new(kernel, place, folder=True)
    # Effect.
    tree.create(kernel, place, S_IFDIR | mode & (0o777 | S_ISVTX), kernel.cage(call.target).umask)
    # Result.
    return Done(0)


def rmdir(kernel: Kernel, call: Call) -> Result:
    """Remove an empty directory (DIR-2, NAME-5)."""
    return remove(kernel, paths.path(kernel, call, 0).walk(kernel, Follow.NAME), folder=True)


def remove(kernel: Kernel, place: Place, *, folder: bool) -> Result:
    """Take the name at ``place``, of a directory or of anything else."""
    tree.require_removable(kernel, place, folder=folder)
    tree.remove_name(kernel, place)
    return Done(0)


def unlink(kernel: Kernel, call: Call) -> Result:
    """Take a name that is no directory's (NAME-4)."""
    return remove(kernel, paths.path(kernel, call, 0).walk(kernel, Follow.NAME), folder=False)


def unlinkat(kernel: Kernel, call: Call) -> Result:
    """`unlink`, or with AT_REMOVEDIR `rmdir`, of a path relative to a directory (NAME-4, PATH-11)."""
    flags = call.u32(2)
    if flags & ~AT_REMOVEDIR:
        return fail(EINVAL, "NAME-4")
    place = paths.path_at(kernel, call, 0, 1).walk(kernel, Follow.NAME)
    return remove(kernel, place, folder=bool(flags))


# Listing.


def getdents64(kernel: Kernel, call: Call) -> Result:
    """List a directory from the offset on: as many whole entries as fit (DIR-3 to DIR-5)."""
    # Arguments.
    found = fdtable.require(kernel, call, 0)
    address, count = call.value(1), min(call.i32(2), _BUFFER_MAX)
    inode = inodes.get(kernel, found.file.inode) if found.file.inode else None
    # Errors.
    errors = ErrorSet()
    errors.add(found.file.kind != "directory", ENOTDIR, "DIR-5")
    errors.add(inode is not None and inode.is_directory and not inode.nlink, ENOENT, "DIR-5")
    data, end = b"", found.file.offset
    if not errors and inode is not None:
        data, end, more = _entries(kernel, inode, found.file.offset, count)
        errors.add(more and not data, EINVAL, "DIR-5")
        errors.add(not user.writable(kernel, address, len(data)), EFAULT, "DIR-5")
    failed = errors.first()
    if failed is not None:
        return fail(EPERM, "GETDENTS-EPERM") if kernel.profile.has("GETDENTS-EPERM") else failed
    # Effect.
    user.copy_out(kernel, address, data)
    openfile.change(kernel, found.number, offset=end)
    # Result.
    return Done(len(data))


def _entries(kernel: Kernel, inode: Inode, start: int, room: int) -> tuple[bytes, int, bool]:
    """Entries behind position ``start`` that fit into ``room`` bytes: their records, the position of the last, and
    whether there was one more (DIR-3, DIR-4).
    """
    out = bytearray()
    end = start
    held = populate.directory_of(kernel, inode)
    for position, name, number in directory.listing(held, inode.number, start):
        size = -(-(_HEAD + len(name) + 1) // 8) * 8
        if len(out) + size > room:
            return bytes(out), end, True
        kind = inodes.get(kernel, number).type >> 12
        head = number.to_bytes(8, "little") + position.to_bytes(8, "little") + size.to_bytes(2, "little")
        out += (head + bytes([kind]) + name).ljust(size, b"\0")
        end = position
    return bytes(out), end, False


# Working directories.


def getcwd(kernel: Kernel, call: Call) -> Result:
    """The path of the target's working directory, with its NUL (DIR-6)."""
    # Arguments.
    address, size = call.value(0), call.value(1)
    cage = kernel.cage(call.target)
    as_text = kernel.profile.has("GETCWD-TEXT")
    path = cage.cwd if as_text else walk.path_of(kernel, cage.cwd_inode)
    # Errors.
    errors = ErrorSet()
    errors.add(as_text and size == 0, EINVAL, "DIR-6")
    errors.add(path is None, ENOENT, "DIR-6")
    errors.add(path is not None and size < len(path) + 1, ERANGE, "DIR-6")
    failed = errors.first()
    if failed is not None or path is None:
        return failed or fail(ENOENT, "DIR-6")
    # Effect.
    if not user.copy_out(kernel, address, path + b"\0"):
        user.require_mapped(kernel, mapped=False, what="getcwd: the buffer")
        return fail(EFAULT, "DIR-6")
    # Result.
    return Done(len(path) if as_text else len(path) + 1)


def chdir(kernel: Kernel, call: Call) -> Result:
    """Make a directory the target's working directory (DIR-6)."""
    where = paths.path(kernel, call, 0)
    inode = where.walk(kernel).found(kernel)
    _require_enterable(kernel, inode)
    if kernel.profile.has("PATH-LEXICAL"):
        _enter(kernel, call.target, inode, where.text.rstrip(b"/") or b"/")
    else:
        _enter(kernel, call.target, inode, walk.path_of(kernel, inode.number))
    return Done(0)


def fchdir(kernel: Kernel, call: Call) -> Result:
    """Make an open directory the target's working directory (DIR-6)."""
    found = fdtable.require(kernel, call, 0, path=True)
    if not found.file.inode:
        return fail(ENOTDIR, "DIR-6")
    inode = inodes.get(kernel, found.file.inode)
    _require_enterable(kernel, inode)
    _enter(kernel, call.target, inode, walk.path_of(kernel, inode.number))
    return Done(0)


def _require_enterable(kernel: Kernel, inode: Inode) -> None:
    if not inode.is_directory:
        raise Refused(fail(ENOTDIR, "DIR-6"))
    access.require(kernel, inode, X_OK, "DIR-6")


def _enter(kernel: Kernel, number: int, inode: Inode, path: bytes | None) -> None:
    """The working directory of cage ``number`` is ``inode``, and with it that of the one host process (HOST-CWD)."""
    cage = kernel.cage(number)
    for _ in range(2):  # the cage's and the host's
        inodes.pin(kernel, inode.number)
    inodes.unpin(kernel, cage.cwd_inode)
    if kernel.host_cwd:
        inodes.unpin(kernel, kernel.host_cwd)
    kernel.host_cwd = inode.number
    kernel.update(number, cwd_inode=inode.number, cwd=cage.cwd if path is None else path)


_PATH = Param("path", ParamKind.PATH)
_FD = Param("fd", ParamKind.FD)

CALLS: tuple[CallRow, ...] = (
    CallRow(
        78,
        "getdents64",
        (_FD, Param("dirp", ParamKind.BUFFER, Direction.OUT, length=RESULT), Param("count", ParamKind.SIZE)),
        getdents64,
        ReturnKind.COUNT,
    ),
    CallRow(
        79,
        "getcwd",
        (Param("buf", ParamKind.CSTRING, Direction.OUT), Param("size", ParamKind.SIZE)),
        getcwd,
        ReturnKind.COUNT,
    ),
    CallRow(80, "chdir", (_PATH,), chdir),
    CallRow(81, "fchdir", (_FD,), fchdir),
    CallRow(83, "mkdir", (_PATH, Param("mode", ParamKind.MODE)), mkdir),
    CallRow(84, "rmdir", (_PATH,), rmdir),
    CallRow(87, "unlink", (_PATH,), unlink),
    CallRow(
        263,
        "unlinkat",
        (Param("dirfd", ParamKind.DIRFD), _PATH, Param("flags", ParamKind.FLAGS, names="at")),
        unlinkat,
    ),
)
