"""Moving bytes: read and write and all their forms.

What the bytes come from or go to is the business of the description's kind (`posix.openfile`); what is common is
here: counts, buffers, offsets, waiting. Rules FILE-READ-1 to FILE-READ-6, FILE-WRITE-1 to FILE-WRITE-7 and FILE-IOV-1
in spec/files.md.
"""

from __future__ import annotations

from lindref.posix import fdtable, openfile, signals
from lindref.posix import usermem as user
from lindref.posix.call import Call, i64
from lindref.posix.errno import EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EPIPE, ESPIPE
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.fdtable import Opened
from lindref.posix.fs import inodes
from lindref.posix.fs.numbers import IOV_MAX, O_APPEND, TRANSFER_MAX
from lindref.posix.kernel import ChoiceKind, Kernel
from lindref.posix.net import records
from lindref.posix.openfile import Block, OpenFile, Ops, ops_of
from lindref.posix.params import RESULT as LENGTH_OF_RESULT
from lindref.posix.params import CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result, Wait
from lindref.posix.structs import IOVEC
from lindref.state.records import replace

#: Buffers of a call: (host address, bytes), in order.
Buffers = tuple[tuple[int, int], ...]

#: No address space goes on behind this: a buffer that does is EFAULT wherever it begins and whatever there is to move.
_ADDRESSES = 1 << 47
#: The last offset of all.
_OFFSET_MAX = (1 << 63) - 1


def _check(found: Opened | None, *, writing: bool, position: int | None) -> ErrorSet:
    """The errors of the descriptor and the position (FILE-READ-1, FILE-WRITE-1, FILE-SEEK-2)."""
    errors = ErrorSet()
    errors.add(position is not None and position < 0, EINVAL, "FILE-SEEK-1")
    file = None if found is None else found.file
    rule = "FILE-WRITE-1" if writing else "FILE-READ-1"
    errors.add(file is None or file.kind == "path", EBADF, "FD-1")
    if file is not None and position is not None:
        errors.add(not ops_of(file).seeks, ESPIPE, "FILE-SEEK-2")
    if file is not None:
        errors.add(not (file.writes if writing else file.reads), EBADF, rule)
    return errors


def _reaches(file: OpenFile, ops: Ops, buffers: Buffers) -> ErrorSet:
    """The errors of buffers and offsets beyond all bounds (FILE-READ-3, FILE-SEEK-1)."""
    errors = ErrorSet()
    errors.add(any(size and address + size > _ADDRESSES for address, size in buffers), EFAULT, "FILE-READ-3")
    total = sum(size for _, size in buffers)
    errors.add(ops.seeks and file.offset + total > _OFFSET_MAX, EINVAL, "FILE-SEEK-1")
    return errors


# Reading.


def _receive(kernel: Kernel, call: Call, buffers: Buffers, position: int | None) -> Result:
    """Read into ``buffers``, at ``position`` or at the description's offset."""
    found = fdtable.argument(kernel, call, 0)
    failed = _check(found, writing=False, position=position).first()
    if failed is not None or found is None:
        return failed or fail(EBADF, "FD-1")
    file, ops = _described(kernel, found, position)
    failed = _reaches(file, ops, buffers).first()
    if failed is not None:
        return failed
    count = wanted = min(sum(size for _, size in buffers), TRANSFER_MAX)
    if ops.seeks:
        count = _reach(kernel, buffers, write=True)  # FILE-READ-3
    data = ops.peek(kernel, found.number, file, count)
    if wanted and not count and not isinstance(data, Block) and ops.peek(kernel, found.number, file, 1):
        return fail(EFAULT, "FILE-READ-3")
    if isinstance(data, Block):
        return wait_for(kernel, call, data, 0, blocks=file.blocks) if count else Done(0)
    may_split = len(data) > 1 and not ops.seeks and ops.splits(kernel, found.number, file)
    if may_split and kernel.choose(ChoiceKind.TRANSFER, 2):
        data = data[: (len(data) + 1) // 2]  # FILE-READ-6
    if not scatter(kernel, buffers, data):
        return fail(EFAULT, "FILE-READ-3")
    if wanted:
        ops.take(kernel, found.number, file, len(data))
    if ops.seeks and position is None and data:
        openfile.change(kernel, found.number, offset=file.offset + len(data))
    return Done(len(data))


def _reach(kernel: Kernel, buffers: Buffers, *, write: bool) -> int:
    """How many bytes of ``buffers`` come before the first that cannot be read (written)."""
    total = 0
    for address, size in buffers:
        part = user.reach(kernel, address, min(size, TRANSFER_MAX - total), write=write)
        total += part
        if part < size:
            break
    return total


def _described(kernel: Kernel, found: Opened, position: int | None) -> tuple[OpenFile, Ops]:
    """The description as the transfer sees it, at ``position`` if there is one, and how it behaves."""
    file = found.file
    if file.kind == "epoll" and kernel.profile.has("EPOLL-KIND"):
        # The instance's index is taken for a host descriptor: a standard stream, or none.
        file = OpenFile("console", file.flags, object=file.object - 1)
        if file.object > 2:
            raise Refused(fail(EBADF, "FD-1"))
    return (file if position is None else replace(file, offset=position)), ops_of(file)


def scatter(kernel: Kernel, buffers: Buffers, data: bytes) -> bool:
    """Put ``data`` into ``buffers``, filling each in turn; False, and nothing written, where that faults."""
    parts: list[tuple[int, bytes]] = []
    at = 0
    for address, size in buffers:
        if at >= len(data):
            break
        parts.append((address, data[at : at + size]))
        at += size
    if not all(user.writable(kernel, address, len(part)) for address, part in parts):
        return False
    return all(user.copy_out(kernel, address, part) for address, part in parts)


def moved_before(call: Call) -> int:
    """How many bytes earlier tries of a call moved."""
    return call.memo[0] if isinstance(call.memo, tuple) and isinstance(call.memo[0], int) else 0


def wait_for(kernel: Kernel, call: Call, block: Block, moved: int, *, blocks: bool) -> Result:
    """The answer when nothing more can be moved now: what was moved, EAGAIN, EINTR, or a wait (FILE-READ-5,
    FILE-WRITE-4). What earlier tries moved, and when the time is up, is kept in the memo.
    """
    stopped = call.interrupted or call.timed_out or not blocks
    if moved and stopped:
        return Done(moved)
    if not blocks or call.timed_out:
        return fail(EAGAIN, "FILE-READ-5")
    if call.interrupted:
        return Done(-EINTR, restart=True)
    deadline = None if block.limit is None else kernel.now + block.limit
    if isinstance(call.memo, tuple):
        deadline = call.memo[1]
    return Wait(block.keys, deadline, (moved, deadline), block.why)


# Writing.


def _transmit(kernel: Kernel, call: Call, buffers: Buffers, position: int | None, *, plain: bool = False) -> Result:
    """Write from ``buffers``, at ``position`` or at the description's offset; ``plain`` says that the call is write
    itself.

    """
    found = fdtable.argument(kernel, call, 0)
    failed = _check(found, writing=True, position=position).first()
    if failed is not None or found is None:
        return failed or fail(EBADF, "FD-1")
    file, ops = _described(kernel, found, position)
    failed = _reaches(file, ops, buffers).first()
    if failed is not None:
        return failed
    data = gather(kernel, buffers, part=ops.seeks)
    if data is None:
        return fail(EFAULT, "FILE-WRITE-3")
    moved = moved_before(call)
    if not data:
        return _write_nothing(file)
    try:
        while moved < len(data):
            sent = ops.send(kernel, found.number, file, data[moved:])
            if isinstance(sent, Block):
                return wait_for(kernel, call, sent, moved, blocks=file.blocks)
            moved += sent
            if ops.seeks:  # what a file does not take at once does not fit
                _advance(kernel, found.number, file, sent, positioned=position is not None)
                break
    except Refused as refusal:
        broken = isinstance(refusal.result, Done) and refusal.result.value == -EPIPE
        if broken and (_streams(kernel, file) or kernel.profile.has("SIGPIPE-WRITE")):
            signals.broken_pipe(kernel, call.target, by_write=plain)
        if not moved:
            raise
    return Done(moved)


def _streams(kernel: Kernel, file: OpenFile) -> bool:
    """Whether bytes and no messages are written: only then is EPIPE a signal too (SOCK-6)."""
    return file.kind != "socket" or records.get(kernel, file.object).streams


def _write_nothing(file: OpenFile) -> Result:
    """Writing no bytes changes nothing, and fails only where writing makes no sense (FILE-WRITE-5)."""
    if file.kind in ("epoll", "directory"):
        return fail(EINVAL, "FILE-WRITE-5")
    return Done(0)


def _advance(kernel: Kernel, number: int, file: OpenFile, sent: int, *, positioned: bool) -> None:
    """Move the offset behind the bytes sent, unless the call gave a position. After appending that is the end."""
    if positioned:
        return
    end = file.offset + sent
    if file.flags & O_APPEND and file.kind == "file":
        end = inodes.get(kernel, file.inode).size
    openfile.change(kernel, number, offset=end)


def gather(kernel: Kernel, buffers: Buffers, *, part: bool = False) -> bytes | None:
    """The bytes in ``buffers`` one after the other, at most TRANSFER_MAX; None where reading them faults, but for a
    ``part`` those before that place, if there are any (FILE-WRITE-3).
    """
    parts: list[bytes] = []
    room = TRANSFER_MAX
    for address, size in buffers:
        size = min(size, room)
        data = user.copy_in(kernel, address, size)
        if data is None:
            reached = user.reach(kernel, address, size, write=False) if part else 0
            parts.append(user.copy_in(kernel, address, reached) or b"")
            return b"".join(parts) if part and any(parts) else None
        parts.append(data)
        room -= size
    return b"".join(parts)


# Vectors of buffers.


def _vector(kernel: Kernel, call: Call, position: int | None, *, writing: bool) -> Buffers | Result:
    """The iovec array of arguments 1 and 2 (FILE-IOV-1): EINVAL for more than IOV_MAX or a negative length, EFAULT
    where the array cannot be read. What is wrong with the descriptor or the position comes first.
    """
    failed = _check(fdtable.argument(kernel, call, 0), writing=writing, position=position).first()
    if failed is not None:
        return failed
    count = call.i32(2)
    if not 0 <= count <= IOV_MAX:
        return fail(EINVAL, "FILE-IOV-1")
    data = user.copy_in(kernel, call.value(1), count * IOVEC.size)
    if data is None:
        return fail(EFAULT, "FILE-IOV-1")
    buffers: list[tuple[int, int]] = []
    room = TRANSFER_MAX
    for at in range(0, len(data), IOVEC.size):
        fields = IOVEC.unpack(data[at : at + IOVEC.size])
        if i64(fields["iov_len"]) < 0:
            return fail(EINVAL, "FILE-IOV-1")
        size = fields["iov_len"]
        if fields["iov_base"] + size <= _ADDRESSES:
            size = min(size, room)
        room -= min(size, room)
        buffers.append((fields["iov_base"], size))
    return tuple(buffers)


def _buffer(call: Call) -> Buffers:
    """The buffer of arguments 1 and 2."""
    return ((call.value(1), call.value(2)),)


# Calls.


def read(kernel: Kernel, call: Call) -> Result:
    """Read at the offset (FILE-READ-1 to FILE-READ-6)."""
    return _receive(kernel, call, _buffer(call), None)


def write(kernel: Kernel, call: Call) -> Result:
    """Write at the offset (FILE-WRITE-1 to FILE-WRITE-7)."""
    return _transmit(kernel, call, _buffer(call), None, plain=True)


def pread64(kernel: Kernel, call: Call) -> Result:
    """Read at a position, leaving the offset alone (FILE-SEEK-1)."""
    return _receive(kernel, call, _buffer(call), call.i64(3))


def pwrite64(kernel: Kernel, call: Call) -> Result:
    """Write at a position, leaving the offset alone (FILE-SEEK-1)."""
    return _transmit(kernel, call, _buffer(call), call.i64(3))


def readv(kernel: Kernel, call: Call) -> Result:
    """Read into several buffers (FILE-IOV-1)."""
    buffers = _vector(kernel, call, None, writing=False)
    return _receive(kernel, call, buffers, None) if isinstance(buffers, tuple) else buffers


def writev(kernel: Kernel, call: Call) -> Result:
    """Write from several buffers (FILE-IOV-1)."""
    buffers = _vector(kernel, call, None, writing=True)
    return _transmit(kernel, call, buffers, None) if isinstance(buffers, tuple) else buffers


def preadv(kernel: Kernel, call: Call) -> Result:
    """`readv` at a position."""
    buffers = _vector(kernel, call, call.i64(3), writing=False)
    return _receive(kernel, call, buffers, call.i64(3)) if isinstance(buffers, tuple) else buffers


def pwritev(kernel: Kernel, call: Call) -> Result:
    """`writev` at a position."""
    buffers = _vector(kernel, call, call.i64(3), writing=True)
    return _transmit(kernel, call, buffers, call.i64(3)) if isinstance(buffers, tuple) else buffers


_FD = Param("fd", ParamKind.FD)
_OUT = Param("buf", ParamKind.BUFFER, Direction.OUT, length=LENGTH_OF_RESULT)
_IN = Param("buf", ParamKind.BUFFER, length="count")
_COUNT = Param("count", ParamKind.SIZE)
_VECTOR_OUT = Param("iov", ParamKind.IOVEC, Direction.OUT, length="iovcnt")
_VECTOR_IN = Param("iov", ParamKind.IOVEC, length="iovcnt")
_VECTORS = Param("iovcnt", ParamKind.INT)
_POSITION = Param("offset", ParamKind.LONG)

CALLS: tuple[CallRow, ...] = (
    CallRow(0, "read", (_FD, _OUT, _COUNT), read, ReturnKind.COUNT),
    CallRow(1, "write", (_FD, _IN, _COUNT), write, ReturnKind.COUNT),
    CallRow(17, "pread64", (_FD, _OUT, _COUNT, _POSITION), pread64, ReturnKind.COUNT),
    CallRow(18, "pwrite64", (_FD, _IN, _COUNT, _POSITION), pwrite64, ReturnKind.COUNT),
    CallRow(19, "readv", (_FD, _VECTOR_OUT, _VECTORS), readv, ReturnKind.COUNT),
    CallRow(20, "writev", (_FD, _VECTOR_IN, _VECTORS), writev, ReturnKind.COUNT),
    CallRow(295, "preadv", (_FD, _VECTOR_OUT, _VECTORS, _POSITION), preadv, ReturnKind.COUNT),
    CallRow(296, "pwritev", (_FD, _VECTOR_IN, _VECTORS, _POSITION), pwritev, ReturnKind.COUNT),
)
