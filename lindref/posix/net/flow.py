"""How bytes and messages go between sockets, and when sockets are ready: the kind "socket" (SOCK-6 to SOCK-11)."""

from __future__ import annotations

from lindref import classes
from lindref.posix import openfile
from lindref.posix.errno import (
    ECONNREFUSED,
    ECONNRESET,
    EDESTADDRREQ,
    EINVAL,
    EMSGSIZE,
    ENOTCONN,
    EPIPE,
)
from lindref.posix.errors import fail
from lindref.posix.fs import inodes
from lindref.posix.fs.numbers import S_IFSOCK
from lindref.posix.kernel import Kernel
from lindref.posix.net import joining, names, records
from lindref.posix.net.addresses import destination, is_any
from lindref.posix.net.numbers import AF_UNIX, ROOM, SOCK_DGRAM, UDP_MAX
from lindref.posix.net.options import timeout
from lindref.posix.net.records import Message, Name, Socket
from lindref.posix.openfile import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDHUP,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
    Block,
    OpenFile,
    Ops,
)
from lindref.posix.result import Key, Refused, WaitKey

#: What a message costs besides its bytes, so that empty ones cannot pile up for ever.
_COST = 256

#: Pieces of a stream shorter than this get more appended.
_PIECE = 4096


@classes.frozen
class Received:
    """What reading gives: bytes, how long the message was, where it came from, what came with it."""

    data: bytes
    length: int
    sender: Name | None
    rights: tuple[int, ...]


def keys_of(kernel: Kernel, number: int) -> tuple[WaitKey, ...]:
    """What to wait for: the socket and its peer."""
    peer = records.get(kernel, number).peer
    own = WaitKey(Key.SOCKET, number)
    return (own, WaitKey(Key.SOCKET, peer)) if peer in kernel.sockets else (own,)


def tell_error(kernel: Kernel, number: int) -> None:
    """Refuse with the error that waits to be told, if there is one (SOCK-9)."""
    error = records.get(kernel, number).error
    if error:
        records.change(kernel, number, error=0)
        raise Refused(fail(error, "SOCK-9"))


# Sending.


def send(
    kernel: Kernel, number: int, data: bytes, to: int | Name | None = None, rights: tuple[int, ...] = ()
) -> int | Block:
    """Send ``data`` from socket ``number``: a message to ``to`` (a socket, or an internet address) or to the peer, or
    as much of a stream as there is room for; how many bytes went (SOCK-6, SOCK-7).
    """
    socket = records.get(kernel, number)
    if socket.family == AF_UNIX and socket.connects and not socket.writes:
        raise Refused(fail(EPIPE, "SOCK-6"))  # what went wrong with the connection is kept for who reads
    tell_error(kernel, number)
    if not socket.writes:
        raise Refused(fail(EPIPE, "SOCK-6"))
    if not socket.connects:
        return _send_message(kernel, number, data, to, rights)
    if socket.connecting:
        return _connecting(number)
    if not socket.connected:
        raise Refused(fail(ENOTCONN if socket.family == AF_UNIX else EPIPE, "SOCK-6"))
    peer = kernel.sockets.get(socket.peer)
    if peer is None:
        raise Refused(fail(EPIPE, "SOCK-6"))
    if not socket.streams:
        return _put_message(kernel, number, socket.peer, data, None, rights)
    room = ROOM - peer.held
    if room <= 0:
        return _no_room(kernel, number, socket)
    part = data[:room]
    inbox = peer.inbox
    joins = inbox and not inbox[-1].rights and len(inbox[-1].data) + len(part) <= _PIECE
    if joins and not rights:
        inbox = (*inbox[:-1], Message(inbox[-1].data + part))
    else:
        inbox = (*inbox, Message(part, rights=rights))
    _arrive(kernel, socket.peer, inbox, len(part), rights)
    return len(part)


def _arrive(
    kernel: Kernel, number: int, inbox: tuple[Message, ...], count: int, rights: tuple[int, ...]
) -> None:
    for description in rights:
        openfile.retain(kernel, description)
    socket = records.get(kernel, number)
    records.change(kernel, number, inbox=inbox, held=socket.held + count, arrived=socket.arrived + 1)


def _no_room(kernel: Kernel, number: int, socket: Socket) -> Block:
    why = f"for space in the peer of socket {number}"
    return Block(keys_of(kernel, number), why, timeout(socket, sending=True))


def _connecting(number: int) -> Block:
    return Block((WaitKey(Key.SOCKET, number),), f"for the connection of socket {number}")


def _send_message(
    kernel: Kernel, number: int, data: bytes, to: int | Name | None, rights: tuple[int, ...]
) -> int | Block:
    """Send a datagram."""
    socket = records.get(kernel, number)
    if socket.family == AF_UNIX:
        target = socket.peer if to is None else to
        assert isinstance(target, int)
        if to is None and not socket.connected:
            raise Refused(fail(ENOTCONN, "SOCK-6"))
        other = kernel.sockets.get(target)
        if other is None or not other.reads:
            raise Refused(fail(ECONNREFUSED if other is None else EPIPE, "SOCK-6"))
        return _put_message(kernel, number, target, data, socket.local, rights)
    name = socket.remote if to is None else to
    if name is None:
        raise Refused(fail(EDESTADDRREQ, "SOCK-6"))
    assert isinstance(name, Name)
    if len(data) > UDP_MAX:
        raise Refused(fail(EMSGSIZE, "SOCK-7"))
    names.ensure_port(kernel, number, loopback=socket.remote is not None)
    socket = records.get(kernel, number)
    assert socket.local is not None
    sender = socket.local
    if is_any(sender):
        sender = destination(kernel, sender)
    reached = names.by_name(kernel, name, SOCK_DGRAM, sender)
    if reached is not None:
        _put_message(kernel, number, reached, data, sender, ())  # lost where there is no room
    elif joining.send_to(kernel, number, data, name):
        pass
    elif socket.remote is not None:
        records.change(kernel, number, error=ECONNREFUSED)
    return len(data)


def _put_message(
    kernel: Kernel, number: int, target: int, data: bytes, sender: Name | None, rights: tuple[int, ...]
) -> int | Block:
    """Give socket ``target`` a message, whole or not at all."""
    if len(data) > ROOM - _COST:
        raise Refused(fail(EMSGSIZE, "SOCK-7"))
    other = records.get(kernel, target)
    if other.held + _COST * (len(other.inbox) + 1) + len(data) > ROOM:
        why = f"for space in socket {target}"
        keys = (WaitKey(Key.SOCKET, number), WaitKey(Key.SOCKET, target))
        return Block(keys, why, timeout(records.get(kernel, number), sending=True))
    inbox = (*other.inbox, Message(data, whole=True, sender=sender, rights=rights))
    _arrive(kernel, target, inbox, len(data), rights)
    return len(data)


def join(kernel: Kernel, number: int, listener: int, exact: Name) -> None:
    """Connect ``number`` to a new socket that waits to be accepted by ``listener``, whose address is ``exact``."""
    names.ensure_port(kernel, number, loopback=True)
    own, other = records.get(kernel, number), records.get(kernel, listener)
    made = records.new(kernel, own.family, own.type, own.protocol)
    records.change(kernel, made, local=exact, remote=own.local, peer=number, connected=True)
    records.change(kernel, number, remote=exact, peer=made, connected=True, reads=True, writes=True)
    records.change(kernel, listener, queue=(*other.queue, made))


def deliver(kernel: Kernel, number: int, data: bytes, sender: Name) -> None:
    """A datagram comes from outside; it is lost where there is no room."""
    _put_message(kernel, number, number, data, sender, ())


# Receiving.


def first(kernel: Kernel, number: int, count: int) -> Received | Block:
    """What reading at most ``count`` bytes would give: a message, or bytes of a stream up to or with those that bring
    descriptions; no bytes at the end (SOCK-8).
    """
    socket = records.get(kernel, number)
    if not socket.inbox or not socket.connects:
        tell_error(kernel, number)
        socket = records.get(kernel, number)
    if socket.connecting:
        return _connecting(number)
    if socket.connects and not socket.connected:
        listens = socket.backlog is not None or socket.family == AF_UNIX
        raise Refused(fail(EINVAL if listens and socket.family == AF_UNIX else ENOTCONN, "SOCK-8"))
    if not socket.inbox:
        if not socket.reads:
            return Received(b"", 0, None, ())
        why = f"for something to arrive at socket {number}"
        return Block(keys_of(kernel, number), why, timeout(socket, sending=False))
    head = socket.inbox[0]
    if head.whole:
        return Received(head.data[:count], len(head.data), head.sender, head.rights)
    data = head.data[:count]
    for message in socket.inbox[1:] if not head.rights else ():
        if message.rights or len(data) >= count:
            break
        data += message.data[: count - len(data)]
    return Received(data, len(data), None, head.rights)


def take(kernel: Kernel, number: int, count: int) -> None:
    """``count`` bytes were read; what is left of a message goes with them."""
    socket = records.get(kernel, number)
    inbox = list(socket.inbox)
    held = socket.held
    gone: list[int] = []
    if inbox and inbox[0].whole:
        gone += inbox[0].rights
        held -= len(inbox[0].data)
        del inbox[0]
    while count and inbox and not inbox[0].whole:
        head = inbox[0]
        part = min(count, len(head.data))
        gone += head.rights
        held -= part
        count -= part
        if part == len(head.data):
            del inbox[0]
        else:
            inbox[0] = Message(head.data[part:])
    if len(inbox) != len(socket.inbox) or held != socket.held:
        records.change(kernel, number, inbox=tuple(inbox), held=held, left=socket.left + 1)
    for description in gone:
        openfile.release(kernel, description)


# The kind "socket".


def _peek(kernel: Kernel, number: int, file: OpenFile, count: int) -> bytes | Block:
    del number
    got = first(kernel, file.object, count)
    return got if isinstance(got, Block) else got.data


def _take(kernel: Kernel, number: int, file: OpenFile, count: int) -> None:
    del number
    take(kernel, file.object, count)


def _send(kernel: Kernel, number: int, file: OpenFile, data: bytes) -> int | Block:
    del number
    return send(kernel, file.object, data)


def _ready(kernel: Kernel, number: int, file: OpenFile) -> int:
    """Readiness (SOCK-10)."""
    del number
    socket = records.get(kernel, file.object)
    if socket.backlog is not None:
        return POLLIN | POLLRDNORM if socket.queue else 0
    if socket.connecting:
        return 0
    bits = 0
    if socket.error:
        bits |= POLLERR
    if socket.inbox or not socket.reads:
        bits |= POLLIN | POLLRDNORM
    if not socket.reads:
        bits |= POLLRDHUP
    unconnected = socket.connects and not socket.connected
    if unconnected or not (socket.reads or socket.writes):
        bits |= POLLHUP
    peer = kernel.sockets.get(socket.peer)
    if peer is None or peer.held + _COST * len(peer.inbox) * (not peer.streams) < ROOM:
        bits |= POLLOUT | POLLWRNORM | POLLWRBAND
    return bits


def _keys(kernel: Kernel, number: int, file: OpenFile) -> tuple[WaitKey, ...]:
    del number
    return keys_of(kernel, file.object)


def _close(kernel: Kernel, number: int, file: OpenFile) -> None:
    del number
    end(kernel, file.object)


def end(kernel: Kernel, number: int) -> None:
    """Socket ``number`` is gone: its peer sees the end, and ECONNRESET if it had sent what nobody read; connections
    that waited to be accepted end too (SOCK-11).
    """
    socket = records.get(kernel, number)
    kernel.sockets = kernel.sockets.remove(number)
    kernel.touch(Key.SOCKET, number)
    for waiting in socket.queue:
        end(kernel, waiting)
    for message in socket.inbox:
        for description in message.rights:
            openfile.release(kernel, description)
    if socket.file:
        inodes.unpin(kernel, socket.file)
    peer = kernel.sockets.get(socket.peer)
    if peer is not None and peer.peer == number and socket.connects:
        error = ECONNRESET if socket.inbox else peer.error
        records.change(kernel, socket.peer, reads=False, writes=False, error=error)


def _status(kernel: Kernel, number: int, file: OpenFile) -> dict[str, int]:
    del number
    socket = records.get(kernel, file.object)
    return {"mode": S_IFSOCK | socket.mode, "inode": socket.inode, "links": 1}


def _chmod(kernel: Kernel, number: int, file: OpenFile, mode: int) -> None:
    del number
    records.change(kernel, file.object, mode=mode)


def _edge(kernel: Kernel, number: int, file: OpenFile) -> int:
    del number
    socket = records.get(kernel, file.object)
    peer = kernel.sockets.get(socket.peer)
    return socket.arrived + len(socket.queue) + (peer.left if peer is not None else 0)


def _splits(kernel: Kernel, number: int, file: OpenFile) -> bool:
    del number
    return records.get(kernel, file.object).streams


openfile.register("socket", Ops(_peek, _take, _send, _ready, _keys, _close, _status, _edge, _splits, _chmod))
