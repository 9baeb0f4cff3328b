"""Options of sockets: which there are, what they are at first, how they are kept (SOCK-12)."""

from __future__ import annotations

from collections.abc import Callable

from lindref import classes
from lindref.posix.net.numbers import (
    AF_INET6,
    AF_UNIX,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    ROOM,
    SOCK_STREAM,
    SOL_SOCKET,
)
from lindref.posix.net.records import Socket
from lindref.posix.structs import TIMEVAL

#: Buffer sizes that can be set: what is asked for is doubled and kept between these.
_SMALLEST = 4608
_LARGEST = 2 * ROOM


def _int(value: int) -> bytes:
    return (value & 0xFFFFFFFF).to_bytes(4, "little")


def _keep(data: bytes) -> bytes:
    return data


def _truth(data: bytes) -> bytes:
    return _int(int(any(data)))


def _buffer(data: bytes) -> bytes:
    return _int(min(max(2 * int.from_bytes(data, "little"), _SMALLEST), _LARGEST))


@classes.frozen
class Option:
    """An option: its bytes, what they are at first, and how a value that was given is kept (None: it cannot be set).
    ``stored`` is whether that value is kept at all, or computed by ``start`` each time.
    """

    size: int
    start: Callable[[Socket], bytes]
    keep: Callable[[bytes], bytes] | None = _keep


def _number(value: int, keep: Callable[[bytes], bytes] | None = _keep) -> Option:
    return Option(4, lambda _: _int(value), keep)


def _shown(show: Callable[[Socket], int]) -> Option:
    return Option(4, lambda socket: _int(show(socket)), None)


#: SO_TYPE and so on, by level and number.
SO_ERROR = (SOL_SOCKET, 4)
_LINGER = (SOL_SOCKET, 13)
_RCVTIMEO = (SOL_SOCKET, 20)
_SNDTIMEO = (SOL_SOCKET, 21)

#: Options that are a time.
LIMITS = frozenset({_RCVTIMEO, _SNDTIMEO})

OPTIONS: dict[tuple[int, int], Option] = {
    (SOL_SOCKET, 1): _number(0, _truth),  # SO_DEBUG
    (SOL_SOCKET, 2): _number(0, _truth),  # SO_REUSEADDR
    (SOL_SOCKET, 3): _shown(lambda socket: socket.type),  # SO_TYPE
    SO_ERROR: _shown(lambda socket: socket.error),
    (SOL_SOCKET, 5): _number(0, _truth),  # SO_DONTROUTE
    (SOL_SOCKET, 6): _number(0, _truth),  # SO_BROADCAST
    (SOL_SOCKET, 7): _number(ROOM, _buffer),  # SO_SNDBUF
    (SOL_SOCKET, 8): _number(ROOM, _buffer),  # SO_RCVBUF
    (SOL_SOCKET, 9): _number(0, _truth),  # SO_KEEPALIVE
    (SOL_SOCKET, 10): _number(0, _truth),  # SO_OOBINLINE
    (SOL_SOCKET, 12): _number(0),  # SO_PRIORITY
    _LINGER: Option(8, lambda _: bytes(8), lambda data: _truth(data[:4]) + data[4:]),
    (SOL_SOCKET, 15): _number(0, _truth),  # SO_REUSEPORT
    (SOL_SOCKET, 16): _number(0, _truth),  # SO_PASSCRED
    (SOL_SOCKET, 18): _number(1),  # SO_RCVLOWAT
    (SOL_SOCKET, 19): _number(1, None),  # SO_SNDLOWAT
    _RCVTIMEO: Option(16, lambda _: bytes(16)),
    _SNDTIMEO: Option(16, lambda _: bytes(16)),
    (SOL_SOCKET, 29): _number(0, _truth),  # SO_TIMESTAMP
    (SOL_SOCKET, 30): _shown(lambda socket: socket.backlog is not None),  # SO_ACCEPTCONN
    (SOL_SOCKET, 38): _shown(lambda socket: socket.protocol),  # SO_PROTOCOL
    (SOL_SOCKET, 39): _shown(lambda socket: socket.family),  # SO_DOMAIN
    (IPPROTO_IP, 1): _number(0),  # IP_TOS
    (IPPROTO_IP, 2): _number(64),  # IP_TTL
    (IPPROTO_TCP, 1): _number(0, _truth),  # TCP_NODELAY
    (IPPROTO_TCP, 2): _number(536),  # TCP_MAXSEG
    (IPPROTO_TCP, 3): _number(0, _truth),  # TCP_CORK
    (IPPROTO_TCP, 4): _number(7200),  # TCP_KEEPIDLE
    (IPPROTO_TCP, 5): _number(75),  # TCP_KEEPINTVL
    (IPPROTO_TCP, 6): _number(9),  # TCP_KEEPCNT
    (IPPROTO_IPV6, 16): _number(64),  # IPV6_UNICAST_HOPS
    (IPPROTO_IPV6, 26): _number(0, _truth),  # IPV6_V6ONLY
}


def key(level: int, number: int) -> int:
    """Where an option is kept in ``Socket.options``."""
    return level << 32 | number


def has_level(socket: Socket, level: int) -> bool:
    """Whether a socket has options of a level."""
    if level == SOL_SOCKET:
        return True
    if socket.family == AF_UNIX:
        return False
    if level == IPPROTO_TCP:
        return socket.type == SOCK_STREAM
    return level == IPPROTO_IP or (level == IPPROTO_IPV6 and socket.family == AF_INET6)


def is_time(data: bytes) -> bool:
    """Whether a timeval says a time: its microseconds are less than a second."""
    return 0 <= TIMEVAL.unpack(data)["tv_usec"] < 1_000_000


def value_of(socket: Socket, level: int, number: int) -> bytes:
    """The present value of an option that exists."""
    held = socket.options.get(key(level, number))
    return held if held is not None else OPTIONS[level, number].start(socket)


def timeout(socket: Socket, *, sending: bool) -> int | None:
    """How long reading (or ``sending``) waits, in ns; None for ever (SOCK-12)."""
    fields = TIMEVAL.unpack(value_of(socket, *(_SNDTIMEO if sending else _RCVTIMEO)))
    return (fields["tv_sec"] * 1_000_000 + fields["tv_usec"]) * 1000 or None
