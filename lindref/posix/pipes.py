"""Pipes and FIFOs: a queue of bytes with a capacity, and ends that count.

Rules PIPE-1 to PIPE-9 in spec/pipes.md.
"""

from __future__ import annotations

from typing import Any

from lindref.posix import fdtable, openfile
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.errno import EBUSY, EFAULT, EINTR, EINVAL, EMFILE, ENXIO, EPERM, EPIPE
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.fs import inodes
from lindref.posix.fs.numbers import (
    O_ACCMODE,
    O_CLOEXEC,
    O_DIRECT,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    S_IFIFO,
)
from lindref.posix.kernel import IdKind, Kernel
from lindref.posix.openfile import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDNORM,
    POLLWRNORM,
    Block,
    OpenFile,
    Ops,
)
from lindref.posix.params import CallRow, Direction, Param, ParamKind
from lindref.posix.result import Done, Key, Refused, Result, Wait, WaitKey
from lindref.posix.structs import PAIR
from lindref.state.records import record, replace

#: Bytes that a new pipe holds.
CAPACITY = 65536

#: Largest and smallest capacity that F_SETPIPE_SZ gives.
CAPACITY_MAX = 1 << 20
CAPACITY_MIN = 4096

#: Writes of at most so many bytes are never mixed with others (PIPE-3).
PIPE_BUF = 4096


@record("posix.chunk")
class Chunk:
    """Some bytes in a pipe; a ``packet`` (O_DIRECT) is read whole or cut short, never joined with others."""

    data: bytes
    packet: bool = False


@record("posix.pipe", version=2)
class Pipe:
    """The queue. ``readers``, ``writers``: open descriptions by end; ``came``: how many writers there ever were;
    ``inode``: its number in fstat (a FIFO's own inode, or just a number); ``made``: when (virtual ns); ``sent``,
    ``drained``: how often bytes came in and went out; ``mode``: its permissions.
    """

    inode: int
    chunks: tuple[Chunk, ...] = ()
    held: int = 0
    capacity: int = CAPACITY
    readers: int = 0
    writers: int = 0
    came: int = 0
    made: int = 0
    sent: int = 0
    drained: int = 0
    mode: int = 0o600


def get(kernel: Kernel, number: int) -> Pipe:
    """The pipe ``number``, which exists."""
    pipe: Pipe = kernel.pipes[number]
    return pipe


def _change(kernel: Kernel, number: int, **changes: Any) -> Pipe:
    """Replace fields of a pipe and wake whoever waits for it."""
    pipe: Pipe = replace(kernel.pipes[number], **changes)
    kernel.pipes = kernel.pipes.set(number, pipe)
    kernel.touch(Key.PIPE, number)
    return pipe


def _new_pipe(kernel: Kernel, inode: int) -> int:
    number = kernel.new_id(IdKind.PIPE)
    kernel.pipes = kernel.pipes.set(number, Pipe(inode, made=kernel.wall))
    return number


def _attach(kernel: Kernel, number: int, flags: int) -> None:
    """A description with ``flags`` was opened on the pipe."""
    pipe = get(kernel, number)
    mode = flags & O_ACCMODE
    reads, writes = mode in (O_RDONLY, O_RDWR), mode in (O_WRONLY, O_RDWR)
    _change(
        kernel,
        number,
        readers=pipe.readers + reads,
        writers=pipe.writers + writes,
        came=pipe.came + writes,
    )


def resize(kernel: Kernel, number: int, wanted: int) -> int:
    """F_SETPIPE_SZ: the capacity becomes ``wanted`` rounded up to a power of two pages (PIPE-8); returns it."""
    if wanted > 1 << 31:
        raise Refused(fail(EINVAL, "PIPE-8"))
    pages = -(-max(wanted, CAPACITY_MIN) // CAPACITY_MIN)
    capacity = CAPACITY_MIN << (pages - 1).bit_length()
    if capacity > CAPACITY_MAX and kernel.identity.uid:
        raise Refused(fail(EPERM, "PIPE-8"))
    if capacity < get(kernel, number).held:
        raise Refused(fail(EBUSY, "PIPE-8"))
    return _change(kernel, number, capacity=capacity).capacity


# The kind "pipe": an end of a pipe or FIFO.


def _peek(kernel: Kernel, number: int, file: OpenFile, count: int) -> bytes | Block:
    """The first bytes in the queue; end of file when it is empty and nobody writes (PIPE-2)."""
    pipe = get(kernel, file.object)
    if not pipe.held:
        if pipe.writers:
            return Block(_keys(kernel, number, file), f"for data in pipe {file.object}")
        return b""
    parts: list[bytes] = []
    room = count
    for chunk in pipe.chunks:
        parts.append(chunk.data[:room])
        room -= len(parts[-1])
        if not room or chunk.packet:
            break
    return b"".join(parts)


def _take(kernel: Kernel, number: int, file: OpenFile, count: int) -> None:
    """Drop ``count`` bytes from the front; what is left of a packet goes with its first part."""
    del number
    pipe = get(kernel, file.object)
    chunks = list(pipe.chunks)
    held = pipe.held
    while count and chunks:
        first = chunks[0]
        if first.packet or len(first.data) <= count:
            count = 0 if first.packet else count - len(first.data)
            held -= len(first.data)
            del chunks[0]
        else:
            chunks[0] = Chunk(first.data[count:])
            held -= count
            count = 0
    _change(kernel, file.object, chunks=tuple(chunks), held=held, drained=pipe.drained + 1)


def _send(kernel: Kernel, number: int, file: OpenFile, data: bytes) -> int | Block:
    """Take in what fits: a write of at most PIPE_BUF bytes whole or not at all (PIPE-3)."""
    pipe = get(kernel, file.object)
    if not pipe.readers:
        raise Refused(fail(EPIPE, "PIPE-4"))
    packet = bool(file.flags & O_DIRECT)
    if packet:
        data = data[:PIPE_BUF]
    room = pipe.capacity - pipe.held
    if not room or (len(data) <= PIPE_BUF and len(data) > room):
        return Block(_keys(kernel, number, file), f"for space in pipe {file.object}")
    data = data[:room]
    chunks = _append(pipe.chunks, data, packet=packet)
    _change(kernel, file.object, chunks=chunks, held=pipe.held + len(data), sent=pipe.sent + 1)
    return len(data)


def _append(chunks: tuple[Chunk, ...], data: bytes, *, packet: bool) -> tuple[Chunk, ...]:
    """``chunks`` with ``data`` behind; short pieces are joined so that there are never many."""
    if packet:
        return (*chunks, Chunk(data, packet=True))
    if chunks and not chunks[-1].packet and len(chunks[-1].data) + len(data) <= PIPE_BUF:
        return (*chunks[:-1], Chunk(chunks[-1].data + data))
    return (*chunks, Chunk(data))


def _ready(kernel: Kernel, number: int, file: OpenFile) -> int:
    """Readiness of an end (PIPE-6): data or room, the other side gone."""
    del number
    pipe = get(kernel, file.object)
    bits = 0
    if file.reads:
        if pipe.held:
            bits |= POLLIN | POLLRDNORM
        if not pipe.writers and pipe.came > file.since:
            bits |= POLLHUP
    if file.writes:
        if pipe.capacity - pipe.held >= PIPE_BUF:
            bits |= POLLOUT | POLLWRNORM
        if not pipe.readers:
            bits |= POLLERR
    return bits


def _keys(kernel: Kernel, number: int, file: OpenFile) -> tuple[WaitKey, ...]:
    del kernel, number
    return (WaitKey(Key.PIPE, file.object),)


def _close(kernel: Kernel, number: int, file: OpenFile) -> None:
    """An end is gone; with the last one the pipe and what is in it go (PIPE-5)."""
    del number
    pipe = get(kernel, file.object)
    pipe = _change(
        kernel, file.object, readers=pipe.readers - file.reads, writers=pipe.writers - file.writes
    )
    if not pipe.readers and not pipe.writers:
        kernel.pipes = kernel.pipes.remove(file.object)
        if file.inode:
            inodes.change(kernel, file.inode, pipe=0)
    if file.inode:
        inodes.unpin(kernel, file.inode)


def _status(kernel: Kernel, number: int, file: OpenFile) -> dict[str, int]:
    """What fstat says of a pipe without a name."""
    del number
    pipe = get(kernel, file.object)
    return {"mode": S_IFIFO | pipe.mode, "inode": pipe.inode, "links": 1, "time": pipe.made}


def _chmod(kernel: Kernel, number: int, file: OpenFile, mode: int) -> None:
    del number
    _change(kernel, file.object, mode=mode)


def _edge(kernel: Kernel, number: int, file: OpenFile) -> int:
    del number
    pipe = get(kernel, file.object)
    return (pipe.sent if file.reads else 0) + (pipe.drained if file.writes else 0)


def _splits(kernel: Kernel, number: int, file: OpenFile) -> bool:
    """A packet is read whole or cut short for good (PIPE-9)."""
    del number
    chunks = get(kernel, file.object).chunks
    return not (chunks and chunks[0].packet)


openfile.register("pipe", Ops(_peek, _take, _send, _ready, _keys, _close, _status, _edge, _splits, _chmod))


# Opening a FIFO.


def open_fifo(kernel: Kernel, call: Call, inode: int, flags: int) -> int | Wait:
    """Open the FIFO ``inode`` (PIPE-7); the number of the description, or the wait for the other side.

    A reader waits for a writer and a writer for a reader; without waiting (O_NONBLOCK) a reader has it at once, and a
    writer without reader gets ENXIO. Opening for both never waits, for neither is EINVAL. The end counts from the first
    try on, so two that wait for each other meet.
    """
    if call.interrupted:
        abandon_open(kernel, call)
        raise Refused(Done(-EINTR, restart=True))
    if flags & O_ACCMODE == O_ACCMODE and inode:
        raise Refused(fail(EINVAL, "PIPE-7"))
    reads = flags & O_ACCMODE == O_RDONLY
    if isinstance(call.memo, tuple):
        number, came = call.memo
        assert isinstance(number, int)
        assert isinstance(came, int)
        if not _other_came(kernel, number, came, reads=reads):
            key = WaitKey(Key.PIPE, openfile.get(kernel, number).object)
            return Wait((key,), None, call.memo, _why(inode, reads=reads))
        return number
    held = inodes.get(kernel, inode)
    nonblocking = bool(flags & O_NONBLOCK)
    if flags & O_ACCMODE == O_WRONLY and nonblocking and not (held.pipe and get(kernel, held.pipe).readers):
        raise Refused(fail(ENXIO, "PIPE-7"))
    pipe = held.pipe or _new_pipe(kernel, inode)
    inodes.change(kernel, inode, pipe=pipe)
    inodes.pin(kernel, inode)
    before = get(kernel, pipe)
    alone = not (before.writers if reads else before.readers)
    since = before.came if reads and nonblocking and alone else -1
    number = openfile.make(kernel, "pipe", flags, inode=inode, object=pipe, since=since)
    _attach(kernel, pipe, flags)
    if flags & O_ACCMODE == O_RDWR or nonblocking or not alone:
        return number
    memo = (number, before.came if reads else before.readers)
    return Wait((WaitKey(Key.PIPE, pipe),), None, memo, _why(inode, reads=reads))


def _other_came(kernel: Kernel, number: int, came: int, *, reads: bool) -> bool:
    """Whether the other side of the FIFO was opened since; it may be gone again."""
    pipe = get(kernel, openfile.get(kernel, number).object)
    return pipe.came > came if reads else pipe.readers > 0


def abandon_open(kernel: Kernel, call: Call) -> None:
    """Drop the end that a waiting open had made: it was interrupted, or its thread died."""
    if isinstance(call.memo, tuple):
        openfile.discard(kernel, call.memo[0])


def _why(inode: int, *, reads: bool) -> str:
    return f"for a {'writer' if reads else 'reader'} of FIFO inode {inode}"


# Calls.


def _make_pipe(kernel: Kernel, call: Call, flags: int) -> Result:
    """What pipe and pipe2 share (PIPE-1)."""
    address = call.value(0)
    cage = kernel.cage(call.target)
    allowed = O_NONBLOCK | O_CLOEXEC | (0 if kernel.profile.has("PIPE-NO-DIRECT") else O_DIRECT)
    # Errors.
    errors = ErrorSet()
    errors.add(bool(flags & ~allowed), EINVAL, "PIPE-1")
    errors.add(fdtable.free_count(kernel, cage.id) < 2, EMFILE, "FD-3")
    errors.add(not user.writable(kernel, address, PAIR.size), EFAULT, "PIPE-1")
    failed = errors.first()
    if failed is not None:
        user.require_mapped(kernel, failed.value != -EFAULT, "pipe: the result")
        if failed.value == -EMFILE:
            _leak(kernel, cage.id, flags)
        return failed
    # Effect.
    read_end, write_end = new_ends(kernel, flags)
    cloexec = bool(flags & O_CLOEXEC)
    first = fdtable.lowest_free(kernel, cage.id)
    assert first is not None
    fdtable.install(kernel, cage.id, first, read_end, cloexec=cloexec)
    second = fdtable.lowest_free(kernel, cage.id)
    assert second is not None
    fdtable.install(kernel, cage.id, second, write_end, cloexec=cloexec)
    user.copy_out(kernel, address, PAIR.pack(first=first, second=second))
    # Result.
    return Done(0)


def new_ends(kernel: Kernel, flags: int) -> tuple[int, int]:
    """A new pipe: the descriptions of its read end and its write end, which nothing refers to yet."""
    pipe = _new_pipe(kernel, kernel.new_id(IdKind.INODE))
    status = flags & (O_NONBLOCK | O_DIRECT)
    # The read end of a packet pipe reads packets because they were written as such.
    read_end = openfile.make(kernel, "pipe", O_RDONLY | (status & O_NONBLOCK), object=pipe, since=-1)
    write_end = openfile.make(kernel, "pipe", O_WRONLY | status, object=pipe)
    _attach(kernel, pipe, O_RDONLY)
    _attach(kernel, pipe, O_WRONLY)
    return read_end, write_end


def _leak(kernel: Kernel, cage: int, flags: int) -> None:
    """In profile ``lind`` a pipe that gets only one free number keeps it (FD-FULL-LEAK)."""
    first = fdtable.lowest_free(kernel, cage)
    if first is None or not kernel.profile.has("FD-FULL-LEAK"):
        return
    read_end, write_end = new_ends(kernel, flags)
    openfile.retain(kernel, write_end)  # its host descriptor is never closed
    fdtable.install(kernel, cage, first, read_end, cloexec=bool(flags & O_CLOEXEC))


def pipe(kernel: Kernel, call: Call) -> Result:
    """Make a pipe (PIPE-1)."""
    return _make_pipe(kernel, call, 0)


def pipe2(kernel: Kernel, call: Call) -> Result:
    """Make a pipe with flags (PIPE-1)."""
    return _make_pipe(kernel, call, call.i32(1))


_ENDS = Param("pipefd", ParamKind.STRUCT, Direction.OUT, struct="pair")

CALLS: tuple[CallRow, ...] = (
    CallRow(22, "pipe", (_ENDS,), pipe),
    CallRow(293, "pipe2", (_ENDS, Param("flags", ParamKind.FLAGS, names="pipe")), pipe2),
)
