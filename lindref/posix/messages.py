"""Sending and receiving on sockets: sendto, recvfrom, sendmsg, recvmsg. Rules SOCK-6 to SOCK-9 and SOCK-13 in
spec/sockets.md.
"""

from __future__ import annotations

from collections.abc import Callable

from lindref import classes
from lindref.posix import fdtable, openfile, signals
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.errno import (
    EBADF,
    EFAULT,
    EINVAL,
    EISCONN,
    EMSGSIZE,
    EOPNOTSUPP,
    EPIPE,
    EPROTOTYPE,
)
from lindref.posix.errors import fail
from lindref.posix.fdtable import Opened
from lindref.posix.fs.numbers import IOV_MAX, TRANSFER_MAX
from lindref.posix.kernel import Kernel
from lindref.posix.net import flow, names, records
from lindref.posix.net.addresses import destination
from lindref.posix.net.flow import Received
from lindref.posix.net.numbers import (
    AF_UNIX,
    MSG_CMSG_CLOEXEC,
    MSG_CTRUNC,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    MSG_WAITALL,
    SCM_RIGHTS,
    SOL_SOCKET,
)
from lindref.posix.net.records import Name
from lindref.posix.openfile import Block
from lindref.posix.params import RESULT, CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result
from lindref.posix.sockets import argument
from lindref.posix.structs import IOVEC, MSGHDR
from lindref.posix.transfer import Buffers, gather, moved_before, scatter, wait_for

#: Bytes of a control message's head: length (64 bits), level, type; what follows is aligned to 8.
_HEAD = 16

#: Descriptions that one message carries at most.
_RIGHTS_MAX = 253


# Sending.


def _send(
    kernel: Kernel, call: Call, buffers: Buffers, flags: int, to: bytes | None, rights: tuple[int, ...] = ()
) -> Result:
    """Send what is in ``buffers`` (SOCK-6, SOCK-7)."""
    found, number = argument(kernel, call)
    if flags & MSG_OOB:
        return fail(EOPNOTSUPP, "SOCK-6")
    held = records.get(kernel, number)
    target = None if to is None else _target(kernel, call, number, to)
    data = gather(kernel, buffers)
    if data is None:
        return fail(EFAULT, "SOCK-6")
    moved = moved_before(call)
    blocks = found.file.blocks and not flags & MSG_DONTWAIT
    try:
        while True:
            sent = flow.send(kernel, number, data[moved:], target, () if moved else rights)
            if isinstance(sent, Block):
                return wait_for(kernel, call, sent, moved, blocks=blocks)
            moved += sent
            if moved >= len(data) or not held.streams:
                return Done(moved)
    except Refused as refusal:
        broken = isinstance(refusal.result, Done) and refusal.result.value == -EPIPE
        if broken and held.streams and not flags & MSG_NOSIGNAL:
            signals.broken_pipe(kernel, call.target, by_write=False)
        if not moved:
            raise
        return Done(moved)


def _target(kernel: Kernel, call: Call, number: int, data: bytes) -> int | Name | None:
    """Where a message with an address goes (SOCK-6)."""
    held = records.get(kernel, number)
    if held.connects:
        if held.family == AF_UNIX:
            raise Refused(fail(EISCONN if held.connected else EOPNOTSUPP, "SOCK-6"))
        return None
    name = names.parse(held.family, data)
    if held.family != AF_UNIX:
        return destination(kernel, name)
    found = names.find_unix(kernel, call, name)
    if records.get(kernel, found).type != held.type:
        raise Refused(fail(EPROTOTYPE, "SOCK-6"))
    return found


def sendto(kernel: Kernel, call: Call) -> Result:
    """Send from one buffer (SOCK-6)."""
    argument(kernel, call)
    to = names.read(kernel, call.value(4), call.i32(5)) if call.value(4) else None
    if not to and records.get(kernel, argument(kernel, call)[1]).family == AF_UNIX:
        to = None  # no address: its length is 0
    return _send(kernel, call, ((call.value(1), min(call.value(2), TRANSFER_MAX)),), call.i32(3), to)


def sendmsg(kernel: Kernel, call: Call) -> Result:
    """Send from several buffers, with descriptions (SOCK-6, SOCK-13)."""
    argument(kernel, call)
    message = _message(kernel, call)
    to = None
    if message.name and message.name_length:
        to = names.read(kernel, message.name, message.name_length)
    rights = _rights(kernel, call, message) if message.control and message.control_length else ()
    return _send(kernel, call, message.buffers, call.i32(2), to, rights)


@classes.frozen
class _Message:
    """A message header that was read."""

    name: int
    name_length: int
    buffers: Buffers
    control: int
    control_length: int


def _message(kernel: Kernel, call: Call) -> _Message:
    """The header at argument 1 and its buffers: EFAULT, EMSGSIZE for too many buffers, EINVAL for a negative length."""
    data = user.copy_in(kernel, call.value(1), MSGHDR.size)
    if data is None:
        raise Refused(fail(EFAULT, "SOCK-6"))
    fields = MSGHDR.unpack(data)
    count = fields["msg_iovlen"]
    if count > IOV_MAX:
        raise Refused(fail(EMSGSIZE, "SOCK-6"))
    vector = user.copy_in(kernel, fields["msg_iov"], count * IOVEC.size)
    if vector is None:
        raise Refused(fail(EFAULT, "SOCK-6"))
    buffers: list[tuple[int, int]] = []
    room = TRANSFER_MAX
    for at in range(0, len(vector), IOVEC.size):
        one = IOVEC.unpack(vector[at : at + IOVEC.size])
        if one["iov_len"] >> 63:
            raise Refused(fail(EINVAL, "SOCK-6"))
        size = min(one["iov_len"], room)
        room -= size
        buffers.append((one["iov_base"], size))
    length = fields["msg_namelen"]
    return _Message(
        fields["msg_name"], length, tuple(buffers), fields["msg_control"], fields["msg_controllen"] & 0xFFFFFFFF
    )


def _rights(kernel: Kernel, call: Call, message: _Message) -> tuple[int, ...]:
    """The descriptions that a message carries (SOCK-13). As recorded their numbers are taken for host descriptors, so
    none of ours arrives (SCM-UNTRANSLATED).
    """
    data = user.copy_in(kernel, message.control, message.control_length)
    if data is None:
        raise Refused(fail(EFAULT, "SOCK-13"))
    if kernel.profile.has("SCM-UNTRANSLATED"):
        return ()
    local = records.get(kernel, argument(kernel, call)[1]).family == AF_UNIX  # Linux looks no closer over internet
    rights: list[int] = []
    at = 0
    while at + _HEAD <= len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        level, kind = (int.from_bytes(data[at + n : at + n + 4], "little") for n in (8, 12))
        if not _HEAD <= length <= len(data) - at:
            raise Refused(fail(EINVAL, "SOCK-13"))
        if (level, kind) != (SOL_SOCKET, SCM_RIGHTS):
            raise Refused(fail(EINVAL, "SOCK-13"))
        for place in range(at + _HEAD, at + length - 3, 4) if local else ():
            fd = int.from_bytes(data[place : place + 4], "little", signed=True)
            found = fdtable.find(kernel, call.cage(0), fd)
            if found is None:
                raise Refused(fail(EBADF, "SOCK-13"))
            rights.append(found.number)
        at += -(-length // 8) * 8
    if len(rights) > _RIGHTS_MAX:
        raise Refused(fail(EINVAL, "SOCK-13"))
    return tuple(rights)


# Receiving.


def _cannot_tell(kernel: Kernel, name: bytes, address: int, cell: int) -> Result | None:
    """Why ``name`` cannot be told at ``address``, with its length in ``cell`` (SOCK-8)."""
    if not address:
        return None
    known = user.copy_in(kernel, cell, 4)
    if known is None or not user.writable(kernel, cell, 4):
        return fail(EFAULT, "SOCK-8")
    room = int.from_bytes(known, "little", signed=True)
    if room < 0:
        return fail(EINVAL, "SOCK-8")
    return None if user.writable(kernel, address, min(len(name), room)) else fail(EFAULT, "SOCK-8")


def _receive(
    kernel: Kernel,
    call: Call,
    found: Opened,
    buffers: Buffers,
    flags: int,
    refused: Callable[[Received], Result | None] = lambda _: None,
) -> Received | Result:
    """Read into ``buffers`` (SOCK-8); what came, or the answer of the call. With MSG_WAITALL a stream is read until all
    of ``buffers`` is full, or the end, an error or a signal comes. ``refused``: why what else the call is to write
    cannot be written; then nothing is taken.
    """
    number = found.file.object
    if flags & MSG_OOB:
        return fail(EINVAL, "SOCK-8")
    moved = moved_before(call)
    blocks = found.file.blocks and not flags & MSG_DONTWAIT
    total = min(sum(size for _, size in buffers), TRANSFER_MAX)
    got = flow.first(kernel, number, total - moved)
    if isinstance(got, Block):
        return wait_for(kernel, call, got, moved, blocks=blocks)
    failed = refused(got)
    if failed is not None:
        return failed
    rest = _behind(buffers, moved)
    if not scatter(kernel, rest, got.data):
        return fail(EFAULT, "SOCK-8")
    if flags & MSG_PEEK:
        return got
    for description in got.rights:
        openfile.retain(kernel, description)
    flow.take(kernel, number, len(got.data))
    moved += len(got.data)
    held = records.get(kernel, number)
    if flags & MSG_WAITALL and held.streams and got.data and moved < total and not got.rights:
        more = flow.first(kernel, number, 1)
        if isinstance(more, Block) and blocks and not call.interrupted:
            return wait_for(kernel, call, more, moved, blocks=blocks)
    return Received(got.data, moved if held.streams else got.length, got.sender, got.rights)


def _behind(buffers: Buffers, moved: int) -> Buffers:
    """``buffers`` without their first ``moved`` bytes."""
    out: list[tuple[int, int]] = []
    for address, size in buffers:
        skip = min(moved, size)
        moved -= skip
        out.append((address + skip, size - skip))
    return tuple(out)


def _count(got: Received, flags: int, *, streams: bool) -> int:
    """What the call returns: bytes given, or with MSG_TRUNC the length of the whole message."""
    return got.length if streams or flags & MSG_TRUNC else len(got.data)


def _drop(kernel: Kernel, rights: tuple[int, ...]) -> None:
    for description in rights:
        openfile.release(kernel, description)


def recvfrom(kernel: Kernel, call: Call) -> Result:
    """Receive into one buffer (SOCK-8)."""
    # Arguments.
    found, number = argument(kernel, call)
    flags, address, cell = call.i32(3), call.value(4), call.value(5)
    held = records.get(kernel, number)
    # Errors.
    if kernel.profile.has("RECVFROM-HALF") and bool(address) != bool(cell):
        return Done(0)
    # Effect.
    def refused(got: Received) -> Result | None:
        name = names.show(got.sender, held.family) if got.sender is not None else b""
        return _cannot_tell(kernel, name, address, cell)

    buffers = ((call.value(1), min(call.value(2), TRANSFER_MAX)),)
    got = _receive(kernel, call, found, buffers, flags, refused)
    if not isinstance(got, Received):
        return got
    if not flags & MSG_PEEK:
        _drop(kernel, got.rights)
    if address:
        if got.sender is None:
            user.copy_out(kernel, cell, bytes(4))
        else:
            failed = names.tell(kernel, names.show(got.sender, held.family), address, cell, "SOCK-8")
            if failed is not None:
                return failed
    # Result.
    return Done(_count(got, flags, streams=held.streams))


def recvmsg(kernel: Kernel, call: Call) -> Result:
    """Receive into several buffers, with descriptions (SOCK-8, SOCK-13)."""
    # Arguments.
    found, number = argument(kernel, call)
    flags = call.i32(2)
    message = _message(kernel, call)
    if not user.writable(kernel, call.value(1), MSGHDR.size):
        return fail(EFAULT, "SOCK-8")
    held = records.get(kernel, number)
    # Effect.
    def refused(got: Received) -> Result | None:
        if message.control and got.rights and not user.writable(kernel, message.control, message.control_length):
            return fail(EFAULT, "SOCK-8")
        shown = names.show(got.sender, held.family) if got.sender is not None and message.name else b""
        fits = user.writable(kernel, message.name, min(len(shown), message.name_length))
        return None if fits else fail(EFAULT, "SOCK-8")

    got = _receive(kernel, call, found, message.buffers, flags, refused)
    if not isinstance(got, Received):
        return got
    room = message.control_length if message.control else 0
    control, cut = _control(kernel, call, got.rights, room, flags) if got.rights else (b"", False)
    if not flags & MSG_PEEK:
        _drop(kernel, got.rights)
    user.copy_out(kernel, message.control, control)
    header = MSGHDR.unpack(user.copy_in(kernel, call.value(1), MSGHDR.size) or bytes(MSGHDR.size))
    name = names.show(got.sender, held.family) if got.sender is not None else b""
    user.copy_out(kernel, message.name, name[: message.name_length])
    header["msg_namelen"] = len(name) if message.name else header["msg_namelen"]
    header["msg_controllen"] = len(control)
    truncated = not held.streams and got.length > len(got.data)
    header["msg_flags"] = (MSG_TRUNC if truncated else 0) | (MSG_CTRUNC if cut else 0)
    user.copy_out(kernel, call.value(1), MSGHDR.pack(**header))
    # Result.
    return Done(_count(got, flags, streams=held.streams))


def _control(
    kernel: Kernel, call: Call, rights: tuple[int, ...], room: int, flags: int
) -> tuple[bytes, bool]:
    """Descriptors for as many of ``rights`` as there is room and numbers for, as a control message; whether some were
    left out.
    """
    fds: list[int] = []
    for description in rights[: max(room - _HEAD, 0) // 4]:
        free = fdtable.lowest_free(kernel, call.target)
        if free is None:
            break
        cloexec = bool(flags & MSG_CMSG_CLOEXEC)
        fds.append(fdtable.install(kernel, call.target, free, description, cloexec=cloexec))
    if not fds:
        return b"", True
    head = (_HEAD + 4 * len(fds)).to_bytes(8, "little")
    head += SOL_SOCKET.to_bytes(4, "little") + SCM_RIGHTS.to_bytes(4, "little")
    data = head + b"".join(fd.to_bytes(4, "little") for fd in fds)
    return data.ljust(min(-(-len(data) // 8) * 8, room), b"\0"), len(fds) < len(rights)


_FD = Param("sockfd", ParamKind.FD)
_FLAGS = Param("flags", ParamKind.FLAGS, names="msg")
_LEN = Param("len", ParamKind.SIZE)

CALLS: tuple[CallRow, ...] = (
    CallRow(
        44,
        "sendto",
        (
            _FD,
            Param("buf", ParamKind.BUFFER, length="len"),
            _LEN,
            _FLAGS,
            Param("addr", ParamKind.SOCKADDR, length="addrlen"),
            Param("addrlen", ParamKind.UINT),
        ),
        sendto,
        ReturnKind.COUNT,
    ),
    CallRow(
        45,
        "recvfrom",
        (
            _FD,
            Param("buf", ParamKind.BUFFER, Direction.OUT, length=RESULT),
            _LEN,
            _FLAGS,
            Param("addr", ParamKind.SOCKADDR, Direction.OUT, length="addrlen"),
            Param("addrlen", ParamKind.INT_CELL, Direction.INOUT),
        ),
        recvfrom,
        ReturnKind.COUNT,
    ),
    CallRow(
        46, "sendmsg", (_FD, Param("msg", ParamKind.STRUCT, struct="msghdr"), _FLAGS), sendmsg, ReturnKind.COUNT
    ),
    CallRow(
        47,
        "recvmsg",
        (_FD, Param("msg", ParamKind.STRUCT, Direction.INOUT, struct="msghdr"), _FLAGS),
        recvmsg,
        ReturnKind.COUNT,
    ),
)
