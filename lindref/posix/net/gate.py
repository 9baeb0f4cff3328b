"""Where the network inside the run is joined to the host's (SOCK-14, SOCK-15).

The sockets of guests are always those of the model; a connection with the host has a far end, a socket of the model
that no guest has, which stands for the peer: what arrives there goes to the host, what comes from the host is sent from
there. Everything that the host says is asked for with `Kernel.ask`, so it is in the trace, and a replay needs no host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lindref.posix.errno import ECONNRESET
from lindref.posix.kernel import Kernel
from lindref.posix.net import flow, records
from lindref.posix.net.addresses import destination, make
from lindref.posix.net.joining import change, drop, error_number, tell
from lindref.posix.net.numbers import PIECE, ROOM
from lindref.posix.net.records import Gate
from lindref.posix.openfile import Block
from lindref.posix.result import Key, Refused, WaitKey
from lindref.state.records import replace

#: Room for datagrams that makes the host bring more.
_DATAGRAMS = ROOM // 2


# What goes on by itself.


def wanted(kernel: Kernel, keys: Iterable[WaitKey]) -> bool:
    """Whether any of ``keys`` may change because of the host."""
    if not len(kernel.gates):
        return False
    mine: set[int] = set()
    for gate in kernel.gates.values():
        mine.add(gate.socket)
        if gate.kind == "stream" and gate.socket in kernel.sockets:
            mine.add(records.get(kernel, gate.socket).peer)
    return any(key.kind == Key.SOCKET and key.id in mine for key in keys)


def unsent(kernel: Kernel) -> bool:
    """Whether something that guests sent has not gone to the host yet."""
    return any(
        gate.kind == "stream" and (gate.sending or records.get(kernel, gate.socket).inbox)
        for gate in kernel.gates.values()
    )


def tend(kernel: Kernel) -> None:
    """Give the host what has arrived for it, and tell it what room there is and what has ended."""
    for handle, gate in list(kernel.gates.items()):
        if gate.kind == "stream":
            _tend_stream(kernel, handle, gate)
        elif gate.socket not in kernel.sockets:
            tell(kernel, "close", handle)
            drop(kernel, handle)
        elif gate.kind == "listener":
            held = records.get(kernel, gate.socket)
            _allow(kernel, handle, gate, int(len(held.queue) <= (held.backlog or 0)))
        elif gate.kind == "datagram":
            _allow(kernel, handle, gate, int(records.get(kernel, gate.socket).held < _DATAGRAMS))


def _allow(kernel: Kernel, handle: int, gate: Gate, room: int) -> None:
    if room != gate.room:
        change(kernel, handle, room=room)
        tell(kernel, "allow", handle, room)


def _tend_stream(kernel: Kernel, handle: int, gate: Gate) -> None:
    far = records.get(kernel, gate.socket)
    guest = kernel.sockets.get(far.peer)
    if far.inbox and not gate.sending:
        got = flow.first(kernel, gate.socket, PIECE)
        if not isinstance(got, Block) and got.data:
            flow.take(kernel, gate.socket, len(got.data))
            gate = replace(gate, sending=len(got.data))
            change(kernel, handle, sending=gate.sending)
            tell(kernel, "push", handle, got.data)
            far = records.get(kernel, gate.socket)
    gone = not far.inbox and not far.reads
    if guest is None:
        if gone:
            tell(kernel, "close", handle)
            flow.end(kernel, gate.socket)
            drop(kernel, handle)
        return
    if gone and not gate.shut:
        gate = replace(gate, shut=True)
        change(kernel, handle, shut=True)
        tell(kernel, "shut", handle)
    if not gate.ended:
        _allow(kernel, handle, gate, max(ROOM - guest.held, 0) if guest.reads else 0)


# What the host says.


def take(kernel: Kernel, events: Iterable[tuple[Any, ...]]) -> None:
    """What happened on the host's network happens here. Of handles that are not known nothing is heard."""
    for word, handle, *rest in events:
        gate = kernel.gates.get(handle)
        if gate is not None:
            _HAPPENED[word](kernel, handle, gate, *rest)


def _accept(kernel: Kernel, handle: int, gate: Gate, made: int, address: bytes, port: int) -> None:
    listener = records.get(kernel, gate.socket)
    if listener.backlog is None or listener.local is None:
        tell(kernel, "close", made)
        return
    far = records.new(kernel, listener.family, listener.type, listener.protocol)
    records.change(kernel, far, local=make(listener.family, port, address))
    flow.join(kernel, far, gate.socket, destination(kernel, listener.local))
    kernel.gates = kernel.gates.set(made, Gate("stream", far))
    del handle


def _connected(kernel: Kernel, handle: int, gate: Gate, error: str, address: bytes, port: int) -> None:
    if gate.kind != "connecting" or gate.socket not in kernel.sockets:
        return
    guest = records.get(kernel, gate.socket)
    if error:
        records.change(kernel, gate.socket, connecting=False, remote=None, error=error_number(error))
        drop(kernel, handle)
        return
    local = make(guest.family, port, address)
    far = records.new(kernel, guest.family, guest.type, guest.protocol)
    records.change(kernel, far, local=guest.remote, remote=local, peer=gate.socket, connected=True)
    records.change(kernel, gate.socket, connecting=False, connected=True, peer=far, local=local)
    change(kernel, handle, kind="stream", socket=far)


def _data(kernel: Kernel, handle: int, gate: Gate, data: bytes) -> None:
    change(kernel, handle, room=max(gate.room - len(data), 0))
    try:
        flow.send(kernel, gate.socket, data)
    except Refused:
        tell(kernel, "allow", handle, 0)  # nobody reads any more: the peer is told by the close that comes


def _end(kernel: Kernel, handle: int, gate: Gate) -> None:
    change(kernel, handle, ended=True, room=0)
    far = records.change(kernel, gate.socket, writes=False)
    if far.peer in kernel.sockets:
        records.change(kernel, far.peer, reads=False)


def _broken(kernel: Kernel, handle: int, gate: Gate, error: str) -> None:
    drop(kernel, handle)
    peer = records.get(kernel, gate.socket).peer
    flow.end(kernel, gate.socket)
    if peer in kernel.sockets:
        records.change(kernel, peer, reads=False, writes=False, error=error_number(error) or ECONNRESET)


def _sent(kernel: Kernel, handle: int, gate: Gate, count: int) -> None:
    change(kernel, handle, sending=max(gate.sending - count, 0))


def _datagram(kernel: Kernel, handle: int, gate: Gate, data: bytes, address: bytes, port: int) -> None:
    del handle
    guest = records.get(kernel, gate.socket)
    sender = make(guest.family, port, address)
    if guest.remote is None or guest.remote == sender:
        flow.deliver(kernel, gate.socket, data, sender)


_HAPPENED: dict[str, Callable[..., None]] = {
    "accept": _accept,
    "broken": _broken,
    "connected": _connected,
    "data": _data,
    "datagram": _datagram,
    "end": _end,
    "sent": _sent,
}
