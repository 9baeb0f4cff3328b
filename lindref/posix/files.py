"""Opening files: the open calls, and the kinds of descriptions that inodes give.

Rules FILE-OPEN-1 to FILE-OPEN-10 in spec/files.md.
"""

from __future__ import annotations

from lindref.posix import fdtable, limits, openfile, paths, pipes
from lindref.posix.call import Call
from lindref.posix.console import open_terminal
from lindref.posix.errno import (
    EACCES,
    EEXIST,
    EINVAL,
    EISDIR,
    ELOOP,
    EMFILE,
    ENOENT,
    ENOTDIR,
    ENXIO,
    EOPNOTSUPP,
    EPERM,
)
from lindref.posix.errors import fail
from lindref.posix.fs import access, content, devices, inodes, populate, procfs, tree
from lindref.posix.fs.numbers import (
    O_ACCMODE,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_LARGEFILE,
    O_NOATIME,
    O_NOCTTY,
    O_NOFOLLOW,
    O_PATH,
    O_RDONLY,
    O_TMPFILE,
    O_TRUNC,
    PERMISSIONS,
    S_IFCHR,
    S_IFREG,
    W_OK,
    X_OK,
)
from lindref.posix.fs.records import Inode
from lindref.posix.fs.walk import Follow, Last, Place
from lindref.posix.kernel import Kernel
from lindref.posix.openfile import Block, OpenFile, Ops
from lindref.posix.params import CallRow, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result, Wait

#: Flags of open that mean something; others are dropped (FILE-OPEN-1).
_KNOWN = (1 << 23) - 1 & ~0o74

#: Flags that F_GETFL does not show.
_FORGOTTEN = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC

#: Flags that O_PATH leaves (FILE-OPEN-8).
_WITH_PATH = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

#: The directory bit of O_TMPFILE's two.
_TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY


# Kinds.


def _peek_file(kernel: Kernel, number: int, file: OpenFile, count: int) -> bytes | Block:
    del number
    return content.read(kernel, file.inode, file.offset, count)


def _take_file(kernel: Kernel, number: int, file: OpenFile, count: int) -> None:
    """Reading marks the time of access, when it is not newer than the last change already (FILE-READ-2)."""
    del number, count
    inode = inodes.get(kernel, file.inode)
    if not file.flags & O_NOATIME and inode.atime <= max(inode.mtime, inode.ctime):
        inodes.change(kernel, file.inode, atime=kernel.wall)


def _send_file(kernel: Kernel, number: int, file: OpenFile, data: bytes) -> int | Block:
    """Write at the offset, or at the end with O_APPEND (FILE-WRITE-2, FILE-WRITE-7)."""
    del number
    offset = inodes.get(kernel, file.inode).size if file.flags & O_APPEND else file.offset
    room = limits.room_in_file(kernel, offset)
    content.write(kernel, file.inode, offset, data[:room])
    return min(len(data), room)


def _close_inode(kernel: Kernel, number: int, file: OpenFile) -> None:
    del number
    inodes.unpin(kernel, file.inode)


openfile.register("file", Ops(_peek_file, _take_file, _send_file, close=_close_inode, seeks=True, polls=False))
openfile.register("directory", Ops(openfile.refuse_directory, close=_close_inode, seeks=True, polls=False))
openfile.register("path", Ops(close=_close_inode, polls=False))


# Opening.


def _open(kernel: Kernel, call: Call, where: paths.Path, flags: int, mode: int) -> Result:
    """Open what ``where`` means and give it the lowest free descriptor of the target (FILE-OPEN-1)."""
    late = kernel.profile.has("FD-FULL-AFTER")
    free = fdtable.lowest_free(kernel, call.target)
    if free is None and not late:
        return fail(EMFILE, "FD-3")
    place = where.walk(kernel, _follow(flags))
    umask = kernel.cage(call.target).umask
    if flags & _TMPFILE_BIT:
        inode = _make_unnamed(kernel, place, mode & ~umask)
        created = True
    else:
        inode, created = _find_or_make(kernel, place, flags, mode, umask)
    number = _describe(kernel, call, inode, flags, created=created)
    return number if isinstance(number, Wait) else _finish(kernel, call, number, flags)


def _follow(flags: int) -> Follow:
    """O_NOFOLLOW stops at a link at the end, and so does making a file that must be new (FILE-OPEN-3, FILE-OPEN-6)."""
    if flags & O_NOFOLLOW or (flags & O_CREAT and flags & O_EXCL):
        return Follow.NAME if flags & O_CREAT else Follow.NO
    return Follow.YES


def _finish(kernel: Kernel, call: Call, number: int, flags: int) -> Result:
    """Give description ``number`` a descriptor of the target; as recorded, a full table is noticed only now."""
    free = fdtable.lowest_free(kernel, call.target)
    if free is None:
        openfile.discard(kernel, number)
        return fail(EMFILE, "FD-3")
    return Done(fdtable.install(kernel, call.target, free, number, cloexec=bool(flags & O_CLOEXEC)))


def _find_or_make(kernel: Kernel, place: Place, flags: int, mode: int, umask: int) -> tuple[Inode, bool]:
    """The inode to open, made if it is missing and may be (FILE-OPEN-2 to FILE-OPEN-4); whether it was made."""
    if flags & O_CREAT and place.last is Last.NAME and place.slash:
        raise Refused(fail(EISDIR, "FILE-OPEN-4"))
    if place.inode is not None:
        if flags & O_CREAT and flags & O_EXCL:
            raise Refused(fail(EEXIST, "FILE-OPEN-3"))
        inode = inodes.get(kernel, place.inode) if flags & O_NOFOLLOW else place.found(kernel)
        if place.slash and not inode.is_directory:
            raise Refused(fail(ENOTDIR, "PATH-10"))
        if flags & O_CREAT and inode.is_directory:
            raise Refused(fail(EISDIR, "FILE-OPEN-4"))
        return inode, False
    if not flags & O_CREAT:
        raise Refused(fail(ENOENT, "PATH-5"))
    tree.require_new(kernel, place)
    return tree.create(kernel, place, S_IFREG | mode & PERMISSIONS, umask), True


def _make_unnamed(kernel: Kernel, place: Place, mode: int) -> Inode:
    """O_TMPFILE: a regular file without a name in the file system of a directory (FILE-OPEN-9)."""
    folder = place.found(kernel)
    if not folder.is_directory:
        raise Refused(fail(ENOTDIR, "FILE-OPEN-9"))
    if inodes.made_up(folder.number):
        raise Refused(fail(EOPNOTSUPP, "FILE-OPEN-9"))
    access.require(kernel, folder, W_OK | X_OK, "FILE-OPEN-9")
    return inodes.new(kernel, S_IFREG | mode & PERMISSIONS, folder.mount)


def _describe(kernel: Kernel, call: Call, inode: Inode, flags: int, *, created: bool) -> int | Wait:
    """A description of ``inode`` opened with ``flags``, or the wait for the other side of a FIFO (FILE-OPEN-5 to
    FILE-OPEN-8).
    """
    if flags & O_DIRECTORY and not flags & _TMPFILE_BIT and not inode.is_directory:
        raise Refused(fail(ENOTDIR, "FILE-OPEN-5"))
    shown = flags & ~_FORGOTTEN
    if flags & O_PATH:
        return _pinned(kernel, "path", shown, inode)
    if inode.is_link:
        raise Refused(fail(ELOOP, "FILE-OPEN-6"))
    wanted = access.wanted_for_open(flags) | (W_OK if flags & O_TRUNC else 0)
    described = procfs.describes(kernel, inode.number, flags, wanted)
    if described is not None:
        return described
    if procfs.is_text(inode.number):
        return _pinned(kernel, "proc", shown | O_LARGEFILE, inode)
    if inode.is_directory and wanted & W_OK:
        raise Refused(fail(EISDIR, "FILE-OPEN-4"))
    if not created:
        access.require(kernel, inode, wanted, "FILE-OPEN-7")
    if flags & O_NOATIME and not access.owns(kernel, inode):
        raise Refused(fail(EPERM, "FILE-OPEN-7"))
    shown |= O_LARGEFILE
    if inode.is_directory:
        populate.directory_of(kernel, inode)
        return _pinned(kernel, "directory", shown, inode)
    if inode.is_file:
        if flags & O_TRUNC:
            if not created:
                content.resize(kernel, inode.number, 0)
        else:
            populate.file_of(kernel, inode.number)
        return _pinned(kernel, "file", shown, inode)
    if inode.is_fifo:
        return pipes.open_fifo(kernel, call, inode.number, shown)
    if inode.type == S_IFCHR:
        return _open_device(kernel, call, inode, shown)
    raise Refused(fail(ENXIO, "FILE-OPEN-10"))


def _pinned(kernel: Kernel, kind: str, shown: int, inode: Inode, **fields: int) -> int:
    inodes.pin(kernel, inode.number)
    return openfile.make(kernel, kind, shown, inode=inode.number, **fields)


def _open_device(kernel: Kernel, call: Call, inode: Inode, shown: int) -> int:
    """A character device: one of ours, the terminal, or a descriptor of the cage under another name (FILE-OPEN-10,
    DEV-1).
    """
    if inode.rdev in devices.PLAIN:
        return _pinned(kernel, "device", shown, inode, object=inode.rdev)
    if inode.rdev == devices.TTY:
        return open_terminal(kernel, shown)
    fd = devices.DESCRIPTORS.get(inode.rdev)
    found = None if fd is None else fdtable.find(kernel, call.target, fd)
    if found is None:
        raise Refused(fail(ENXIO, "FILE-OPEN-10"))
    if found.file.flags & O_ACCMODE != shown & O_ACCMODE and found.file.flags & O_ACCMODE != 2:
        raise Refused(fail(EACCES, "DEV-1"))
    return found.number


# Calls.


def _flags_of(call: Call, slot: int) -> int:
    """The open flags in argument ``slot`` (FILE-OPEN-1, FILE-OPEN-8, FILE-OPEN-9)."""
    flags = call.i32(slot) & _KNOWN
    if flags & O_PATH:
        flags &= _WITH_PATH
    if flags & _TMPFILE_BIT:
        writes = flags & O_ACCMODE != O_RDONLY
        if flags & O_TMPFILE != O_TMPFILE or flags & O_CREAT or not writes:
            raise Refused(fail(EINVAL, "FILE-OPEN-9"))
    elif flags & O_DIRECTORY and flags & O_CREAT:
        raise Refused(fail(EINVAL, "FILE-OPEN-5"))
    return flags


def open_(kernel: Kernel, call: Call) -> Result:
    """Open a path (FILE-OPEN-1)."""
    flags = _flags_of(call, 1)
    if isinstance(call.memo, tuple):
        return _resumed(kernel, call, flags)
    return _open(kernel, call, paths.path(kernel, call, 0), flags, call.u32(2))


def openat(kernel: Kernel, call: Call) -> Result:
    """Open a path relative to a directory (FILE-OPEN-1, PATH-11)."""
    flags = _flags_of(call, 2)
    if isinstance(call.memo, tuple):
        return _resumed(kernel, call, flags)
    return _open(kernel, call, paths.path_at(kernel, call, 0, 1, panics=False), flags, call.u32(3))


def _resumed(kernel: Kernel, call: Call, flags: int) -> Result:
    """Go on with opening a FIFO."""
    number = pipes.open_fifo(kernel, call, 0, flags)
    return number if isinstance(number, Wait) else _finish(kernel, call, number, flags)


_PATH = Param("path", ParamKind.PATH)
_FLAGS = Param("flags", ParamKind.FLAGS, names="open")
_MODE = Param("mode", ParamKind.MODE, only_if=("flags", O_CREAT | _TMPFILE_BIT))

CALLS: tuple[CallRow, ...] = (
    CallRow(2, "open", (_PATH, _FLAGS, _MODE), open_, ReturnKind.FD, abandon=pipes.abandon_open),
    CallRow(
        257,
        "openat",
        (Param("dirfd", ParamKind.DIRFD), _PATH, _FLAGS, _MODE),
        openat,
        ReturnKind.FD,
        abandon=pipes.abandon_open,
    ),
)
