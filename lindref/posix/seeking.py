"""Offsets, lengths and durability of open files: lseek, truncate, fsync and their kin, copy_file_range.

Rules FILE-SEEK-1 to FILE-SEEK-4, FILE-TRUNC-1 to FILE-TRUNC-3, FILE-SYNC-1, FILE-COPY-1 in spec/files.md.
"""

from __future__ import annotations

from lindref.posix import fdtable, limits, openfile, paths
from lindref.posix import usermem as user
from lindref.posix.call import Call, i64
from lindref.posix.errno import EBADF, EFAULT, EFBIG, EINVAL, EISDIR, ENXIO, EOVERFLOW, ESPIPE
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.fdtable import Opened
from lindref.posix.fs import access, content, inodes, mirror
from lindref.posix.fs.numbers import (
    O_APPEND,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_SET,
    SIZE_MAX,
    TRANSFER_MAX,
    W_OK,
)
from lindref.posix.fs.records import Inode
from lindref.posix.kernel import Kernel
from lindref.posix.params import CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result

#: Directories are listed by position; one past the last that can be.
_DIRECTORY_END = (1 << 63) - 1


def lseek(kernel: Kernel, call: Call) -> Result:
    """Move the offset (FILE-SEEK-1 to FILE-SEEK-4)."""
    # Arguments.
    found = fdtable.require(kernel, call, 0)
    offset, whence = call.i64(1), call.u32(2)
    file = found.file
    # Errors.
    if whence > SEEK_HOLE and file.kind != "path":
        return fail(EINVAL, "FILE-SEEK-1")
    openfile.require_seekable(file)
    if file.kind == "device":
        return Done(0)
    new = _sought(kernel, found, offset, whence)
    limit = _DIRECTORY_END if file.kind == "directory" else SIZE_MAX
    errors = ErrorSet()
    errors.add(not 0 <= new <= limit, EINVAL, "FILE-SEEK-1")
    errors.add(new > 0x7FFFFFFF and not kernel.profile.has("OFFSET-TRUNC"), EOVERFLOW, "FILE-SEEK-4")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    openfile.change(kernel, found.number, offset=new)
    # Result: the gate cuts it to 32 bits (OFFSET-TRUNC).
    return Done(new)


def _sought(kernel: Kernel, found: Opened, offset: int, whence: int) -> int:
    """The new offset; data and holes are looked for in whole files: all is data up to the end (FILE-SEEK-3)."""
    size = inodes.get(kernel, found.file.inode).size
    if whence == SEEK_SET:
        return offset
    if whence == SEEK_CUR:
        return found.file.offset + offset
    if whence == SEEK_END:
        return size + offset
    if not 0 <= offset < size:
        raise Refused(fail(ENXIO, "FILE-SEEK-3"))
    return offset if whence == SEEK_DATA else size


def truncate(kernel: Kernel, call: Call) -> Result:
    """Set the length of the file at a path (FILE-TRUNC-1, FILE-TRUNC-2)."""
    # Arguments.
    size = call.i64(1)
    # Errors.
    if size < 0:
        return fail(EINVAL, "FILE-TRUNC-2")
    inode = paths.path(kernel, call, 0).walk(kernel).found(kernel)
    if inode.is_directory:
        return fail(EISDIR, "FILE-TRUNC-2")
    if not inode.is_file:
        return fail(EINVAL, "FILE-TRUNC-2")
    access.require(kernel, inode, W_OK, "FILE-TRUNC-2")
    # Effect and result.
    return _set_length(kernel, inode, size)


def ftruncate(kernel: Kernel, call: Call) -> Result:
    """Set the length of an open file (FILE-TRUNC-1, FILE-TRUNC-3)."""
    # Arguments.
    size = call.i64(1)
    found = fdtable.argument(kernel, call, 0)
    # Errors.
    errors = ErrorSet()
    errors.add(size < 0, EINVAL, "FILE-TRUNC-3")
    errors.add(found is None or found.file.kind == "path", EBADF, "FD-1")
    if found is not None:
        errors.add(found.file.kind != "file" or not found.file.writes, EINVAL, "FILE-TRUNC-3")
    failed = errors.first()
    if failed is not None or found is None:
        return failed or fail(EBADF, "FD-1")
    # Effect and result.
    return _set_length(kernel, inodes.get(kernel, found.file.inode), size)


def _set_length(kernel: Kernel, inode: Inode, size: int) -> Result:
    if size > SIZE_MAX:
        return fail(EFBIG, "FILE-TRUNC-1")
    if size > inode.size:
        limits.room_in_file(kernel, size - 1)
    content.resize(kernel, inode.number, size)
    return Done(0)


def fsync(kernel: Kernel, call: Call) -> Result:
    """Make durable: all of the model is, so only the descriptor is looked at (FILE-SYNC-1)."""
    found = fdtable.require(kernel, call, 0)
    if not found.file.inode or found.file.kind not in ("file", "directory"):
        return fail(EINVAL, "FILE-SYNC-1")
    mirror.sync(kernel, inodes.get(kernel, found.file.inode))
    return Done(0)


def sync_file_range(kernel: Kernel, call: Call) -> Result:
    """Start writing back part of a file, which needs no time here (FILE-SYNC-1)."""
    # Arguments.
    offset, count, flags = call.i64(1), call.i64(2), call.u32(3)
    found = fdtable.require(kernel, call, 0)
    # Errors.
    errors = ErrorSet()
    errors.add(bool(flags & ~7), EINVAL, "FILE-SYNC-1")
    errors.add(offset < 0 or count < 0 or offset + count > (1 << 63) - 1, EINVAL, "FILE-SYNC-1")
    errors.add(found.file.kind not in ("file", "directory"), ESPIPE, "FILE-SYNC-1")
    return errors.first() or Done(0)


# copy_file_range.


def copy_file_range(kernel: Kernel, call: Call) -> Result:
    """Copy between two files, or within one, without passing through memory (FILE-COPY-1)."""
    # Arguments.
    source, target = fdtable.argument(kernel, call, 0), fdtable.argument(kernel, call, 2)
    count, flags = call.value(4), call.u32(5)
    # Errors.
    if source is None or target is None or "path" in (source.file.kind, target.file.kind):
        return fail(EBADF, "FD-1")
    first = _start(kernel, call.value(1), source.file.offset)
    second = _start(kernel, call.value(3), target.file.offset)
    errors = ErrorSet()
    errors.add(first is None or second is None, EFAULT, "FILE-COPY-1")
    errors.add(bool(flags), EINVAL, "FILE-COPY-1")
    kinds = (source.file.kind, target.file.kind)
    errors.add("directory" in kinds, EISDIR, "FILE-COPY-1")
    errors.add(kinds != ("file", "file"), EINVAL, "FILE-COPY-1")
    errors.add(not source.file.reads or not target.file.writes, EBADF, "FILE-COPY-1")
    errors.add(bool(target.file.flags & O_APPEND), EBADF, "FILE-COPY-1")
    failed = errors.first()
    if failed is not None or first is None or second is None:
        return failed or fail(EFAULT, "FILE-COPY-1")
    errors.add(first < 0 or second < 0, EINVAL, "FILE-COPY-1")
    size = inodes.get(kernel, source.file.inode).size
    count = min(count, TRANSFER_MAX, max(size - first, 0))
    same = source.file.inode == target.file.inode
    errors.add(same and first < second + count and second < first + count, EINVAL, "FILE-COPY-1")
    errors.add(second + count > SIZE_MAX, EFBIG, "FILE-COPY-1")
    failed = errors.first()
    if failed is not None:
        return failed
    if count:
        count = min(count, limits.room_in_file(kernel, second))
    # Effect.
    data = content.read(kernel, source.file.inode, first, count)
    if data:
        content.write(kernel, target.file.inode, second, data)
    for found, slot, start in ((source, 1, first), (target, 3, second)):
        if call.value(slot):
            user.copy_out(kernel, call.value(slot), (start + len(data)).to_bytes(8, "little"))
        else:
            openfile.change(kernel, found.number, offset=start + len(data))
    # Result.
    return Done(len(data))


def _start(kernel: Kernel, address: int, offset: int) -> int | None:
    """Where to begin: what the cell at ``address`` says, or ``offset`` for NULL; None where the cell cannot be read and
    written."""
    if not address:
        return offset
    data = user.copy_in(kernel, address, 8)
    if data is None or not user.writable(kernel, address, 8):
        return None
    return i64(int.from_bytes(data, "little"))


_FD = Param("fd", ParamKind.FD)
_LENGTH = Param("length", ParamKind.LONG)
_CELL = ParamKind.LONG_CELL

CALLS: tuple[CallRow, ...] = (
    CallRow(
        8,
        "lseek",
        (_FD, Param("offset", ParamKind.LONG), Param("whence", ParamKind.ENUM, names="whence")),
        lseek,
        ReturnKind.OFFSET,
    ),
    CallRow(74, "fsync", (_FD,), fsync),
    CallRow(75, "fdatasync", (_FD,), fsync),
    CallRow(76, "truncate", (Param("path", ParamKind.PATH), _LENGTH), truncate),
    CallRow(77, "ftruncate", (_FD, _LENGTH), ftruncate),
    CallRow(
        277,
        "sync_file_range",
        (
            _FD,
            Param("offset", ParamKind.LONG),
            Param("nbytes", ParamKind.LONG),
            Param("flags", ParamKind.FLAGS, names="sync-range"),
        ),
        sync_file_range,
    ),
    CallRow(
        326,
        "copy_file_range",
        (
            Param("fd_in", ParamKind.FD),
            Param("off_in", _CELL, Direction.INOUT),
            Param("fd_out", ParamKind.FD),
            Param("off_out", _CELL, Direction.INOUT),
            Param("len", ParamKind.SIZE),
            Param("flags", ParamKind.UINT),
        ),
        copy_file_range,
        ReturnKind.COUNT,
    ),
)
