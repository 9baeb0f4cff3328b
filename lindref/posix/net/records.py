"""The records of sockets: addresses, messages, sockets."""

from __future__ import annotations

from typing import Any

from lindref import classes
from lindref.posix.kernel import IdKind, Kernel
from lindref.posix.net.numbers import SOCK_STREAM
from lindref.posix.result import Key
from lindref.state.pmap import PMap
from lindref.state.records import record, replace


@record("posix.sockname")
class Name:
    """A socket's address. ``data``: for AF_UNIX a path, or an abstract name behind a NUL, ``b""`` for none; for AF_INET
    port and address (6 bytes), for AF_INET6 port, flow, address and scope (26), in the order of the network.
    """

    family: int
    data: bytes = b""

    @property
    def port(self) -> int:
        """The port of an internet address."""
        return int.from_bytes(self.data[:2], "big")


@record("posix.message")
class Message:
    """Bytes that wait to be read. ``whole``: they are one message, read whole or cut short for good; ``sender``: where
    they came from; ``rights``: descriptions that come with them.
    """

    data: bytes
    whole: bool = False
    sender: Name | None = None
    rights: tuple[int, ...] = ()


@record("posix.gate")
class Gate:
    """Something of the network that is joined to the host's. ``kind``: ``name`` (an address was taken), ``listener``,
    ``datagram``, ``connecting`` or ``stream``. ``socket``: the socket here; for a stream the far end, which stands for
    the peer on the host. ``sending``: bytes given to the host that have not gone yet; ``room``: how many the host may
    bring; ``ended``: the peer sends no more; ``shut``: the peer was told that we send no more.
    """

    kind: str
    socket: int
    sending: int = 0
    room: int = 0
    ended: bool = False
    shut: bool = False


@record("posix.socket", version=3)
class Socket:
    """A socket. ``description`` is 0 while it waits to be accepted. ``local``, ``remote``: addresses; ``file``: inode
    of its name in the file system; ``peer``: the socket at the other end, which datagrams go to.

    ``backlog``: connections that may wait, None unless it listens; ``queue``: those that do. ``inbox``, ``held``: what
    waits to be read, and its bytes. ``reads``, ``writes``: directions not shut down. ``error``: to be told once.
    ``options``: as set, by level << 32 | option. ``arrived``, ``left``: how often something came and was taken.
    ``connecting``: a connection over the host's network has been asked for and is not there yet.
    ``mode``: its permissions.
    """

    family: int
    type: int
    protocol: int
    inode: int
    description: int = 0
    local: Name | None = None
    remote: Name | None = None
    file: int = 0
    peer: int = 0
    connected: bool = False
    backlog: int | None = None
    queue: tuple[int, ...] = ()
    inbox: tuple[Message, ...] = ()
    held: int = 0
    reads: bool = True
    writes: bool = True
    error: int = 0
    options: PMap[bytes] = classes.field(factory=PMap)
    arrived: int = 0
    left: int = 0
    connecting: bool = False
    mode: int = 0o777

    @property
    def streams(self) -> bool:
        """Whether bytes go without limits of messages."""
        return self.type == SOCK_STREAM

    @property
    def connects(self) -> bool:
        """Whether it needs a connection: all but datagrams."""
        return self.type != 2


def get(kernel: Kernel, number: int) -> Socket:
    """Socket ``number``, which exists."""
    found: Socket = kernel.sockets[number]
    return found


def change(kernel: Kernel, number: int, **changes: Any) -> Socket:
    """Replace fields of a socket and wake whoever waits for it."""
    changed = replace(get(kernel, number), **changes)
    kernel.sockets = kernel.sockets.set(number, changed)
    kernel.touch(Key.SOCKET, number)
    return changed


def new(kernel: Kernel, family: int, kind: int, protocol: int) -> int:
    """A new socket without a description."""
    number = kernel.new_id(IdKind.SOCKET)
    kernel.sockets = kernel.sockets.set(number, Socket(family, kind, protocol, kernel.new_id(IdKind.INODE)))
    return number
