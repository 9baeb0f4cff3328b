"""Making, naming and connecting sockets. Rules SOCK-1 to SOCK-5 and SOCK-11 in spec/sockets.md."""

from __future__ import annotations

from lindref.posix import fdtable, openfile
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.descriptors import full_table
from lindref.posix.errno import (
    EAFNOSUPPORT,
    EAGAIN,
    EALREADY,
    EBADF,
    ECONNREFUSED,
    EFAULT,
    EINPROGRESS,
    EINTR,
    EINVAL,
    EISCONN,
    EMFILE,
    ENOTCONN,
    ENOTSOCK,
    EOPNOTSUPP,
    EPROTONOSUPPORT,
    EPROTOTYPE,
    ESOCKTNOSUPPORT,
)
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.fdtable import Opened
from lindref.posix.fs.numbers import O_NONBLOCK, O_RDWR
from lindref.posix.kernel import Kernel
from lindref.posix.net import flow, joining, names, options, records
from lindref.posix.net.addresses import destination
from lindref.posix.net.numbers import (
    AF_INET,
    AF_INET6,
    AF_MAX,
    AF_NETLINK,
    AF_UNIX,
    AF_UNSPEC,
    BACKLOG_MAX,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SHUT_RD,
    SHUT_RDWR,
    SHUT_WR,
    SOCK_CLOEXEC,
    SOCK_DGRAM,
    SOCK_MAX,
    SOCK_NONBLOCK,
    SOCK_RAW,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOCK_TYPE,
)
from lindref.posix.net.records import Name, Socket
from lindref.posix.openfile import Block
from lindref.posix.params import CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Key, Refused, Result, RuntimeFault, Wait, WaitKey
from lindref.posix.structs import PAIR
from lindref.posix.transfer import wait_for

#: Protocols of the internet families are below this.
_PROTOCOLS = 263

#: Memo of a connect that waits for the host.
_CONNECTING = "connecting"

#: Types of each family, and the protocols that each may be asked for besides 0.
_TYPES: dict[int, dict[int, int]] = {
    AF_UNIX: {SOCK_STREAM: 1, SOCK_DGRAM: 1, SOCK_RAW: 1, SOCK_SEQPACKET: 1},
    AF_INET: {SOCK_STREAM: IPPROTO_TCP, SOCK_DGRAM: IPPROTO_UDP},
    AF_INET6: {SOCK_STREAM: IPPROTO_TCP, SOCK_DGRAM: IPPROTO_UDP},
    AF_NETLINK: {},
}


def argument(kernel: Kernel, call: Call) -> tuple[Opened, int]:
    """The socket in argument 0, as descriptor and number: EBADF if it is not open, ENOTSOCK for others (SOCK-1)."""
    found = fdtable.require(kernel, call, 0)
    if found.file.kind != "socket":
        raise Refused(fail(ENOTSOCK, "SOCK-1"))
    return found, found.file.object


# Making.


def _wanted(call: Call) -> tuple[int, int, int]:
    """Family, type and protocol that a call asks for, or the refusal (SOCK-1)."""
    family, kind, protocol = call.i32(0), call.i32(1), call.i32(2)
    if kind & ~(SOCK_TYPE | SOCK_NONBLOCK | SOCK_CLOEXEC) or kind & SOCK_TYPE >= SOCK_MAX:
        raise Refused(fail(EINVAL, "SOCK-1"))
    kind &= SOCK_TYPE
    types = _TYPES.get(family) if 0 <= family < AF_MAX else None
    if types is None:
        raise Refused(fail(EAFNOSUPPORT, "SOCK-1"))
    if family == AF_UNIX and protocol not in (0, 1):
        raise Refused(fail(EPROTONOSUPPORT, "SOCK-1"))
    if family in (AF_INET, AF_INET6) and not 0 <= protocol < _PROTOCOLS:
        raise Refused(fail(EINVAL, "SOCK-1"))
    if kind not in types:
        raw = family != AF_UNIX and kind in (SOCK_RAW, SOCK_DGRAM)
        raise Refused(fail(EPROTONOSUPPORT if raw else ESOCKTNOSUPPORT, "SOCK-1"))
    if protocol not in (0, types[kind]):
        raise Refused(fail(EPROTONOSUPPORT, "SOCK-1"))
    if family == AF_UNIX:
        return family, SOCK_DGRAM if kind == SOCK_RAW else kind, 0
    return family, kind, types[kind]


def _describe(kernel: Kernel, number: int, flags: int) -> int:
    """A description of socket ``number``, which no descriptor refers to yet."""
    description = openfile.make(kernel, "socket", O_RDWR | flags & O_NONBLOCK, object=number)
    records.change(kernel, number, description=description)
    return description


def socket(kernel: Kernel, call: Call) -> Result:
    """Make a socket (SOCK-1)."""
    # Arguments and errors.
    family, kind, protocol = _wanted(call)
    free = fdtable.lowest_free(kernel, call.target)
    if free is None:
        return full_table(kernel, "socket")
    # Effect.
    number = records.new(kernel, family, kind, protocol)
    description = _describe(kernel, number, call.i32(1))
    cloexec = bool(call.i32(1) & SOCK_CLOEXEC)
    # Result.
    return Done(fdtable.install(kernel, call.target, free, description, cloexec=cloexec))


def socketpair(kernel: Kernel, call: Call) -> Result:
    """Make two sockets that are connected to each other (SOCK-1)."""
    # Arguments.
    family, kind, protocol = _wanted(call)
    address = call.value(3)
    # Errors.
    writable = user.writable(kernel, address, PAIR.size)
    if not writable and kernel.profile.has("SOCKETPAIR-PANIC"):
        return RuntimeFault("socketpair: a place that cannot be written", "SOCKETPAIR-PANIC")
    if fdtable.free_count(kernel, call.target) < 2:
        return full_table(kernel, "socketpair")
    errors = ErrorSet()
    errors.add(family != AF_UNIX, EOPNOTSUPP, "SOCK-1")
    errors.add(not writable, EFAULT, "SOCK-1")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    pair = [records.new(kernel, family, kind, protocol) for _ in range(2)]
    fds = []
    for number, peer in zip(pair, reversed(pair), strict=True):
        records.change(kernel, number, peer=peer, connected=True)
        free = fdtable.lowest_free(kernel, call.target)
        assert free is not None
        description = _describe(kernel, number, call.i32(1))
        cloexec = bool(call.i32(1) & SOCK_CLOEXEC)
        fds.append(fdtable.install(kernel, call.target, free, description, cloexec=cloexec))
    user.copy_out(kernel, address, PAIR.pack(first=fds[0], second=fds[1]))
    # Result.
    return Done(0)


# Naming.


def bind(kernel: Kernel, call: Call) -> Result:
    """Give a socket an address (SOCK-3)."""
    _, number = argument(kernel, call)
    data = names.read(kernel, call.value(1), call.i32(2))
    names.bind(kernel, call, number, names.parse(records.get(kernel, number).family, data))
    return Done(0)


def getsockname(kernel: Kernel, call: Call) -> Result:
    """The address of a socket (SOCK-5)."""
    _, number = argument(kernel, call)
    held = records.get(kernel, number)
    return names.tell(kernel, names.show(held.local, held.family), call.value(1), call.value(2), "SOCK-5") or Done(0)


def getpeername(kernel: Kernel, call: Call) -> Result:
    """The address of the other end (SOCK-5)."""
    _, number = argument(kernel, call)
    held = records.get(kernel, number)
    if not held.connected:
        return fail(ENOTCONN, "SOCK-5")
    return names.tell(kernel, names.show(held.remote, held.family), call.value(1), call.value(2), "SOCK-5") or Done(0)


# Connecting.


def listen(kernel: Kernel, call: Call) -> Result:
    """Let others connect to a socket (SOCK-4)."""
    _, number = argument(kernel, call)
    held = records.get(kernel, number)
    # Errors.
    errors = ErrorSet()
    errors.add(not held.connects, EOPNOTSUPP, "SOCK-4")
    errors.add(held.connected, EINVAL, "SOCK-4")
    errors.add(held.family == AF_UNIX and held.local is None, EINVAL, "SOCK-4")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    names.ensure_port(kernel, number, loopback=False)
    backlog = min(call.u32(1), BACKLOG_MAX)
    joining.listen(kernel, number, backlog)
    records.change(kernel, number, backlog=backlog)
    # Result.
    return Done(0)


def connect(kernel: Kernel, call: Call) -> Result:
    """Connect a socket, or say where its datagrams go (SOCK-4)."""
    # Arguments.
    found, number = argument(kernel, call)
    held = records.get(kernel, number)
    if call.memo == _CONNECTING or held.connecting:
        return _connecting(kernel, call, found, number)
    data = names.read(kernel, call.value(1), call.i32(2))
    # Effect and result.
    unspecified = len(data) >= 2 and int.from_bytes(data[:2], "little") == AF_UNSPEC
    if unspecified and (held.family != AF_UNIX or not held.connects):
        if not held.connects:
            records.change(kernel, number, remote=None, peer=0, connected=False)
        return Done(0)
    name = names.parse(held.family, data)
    if not held.connects:
        return _aim(kernel, call, number, name)
    if held.family != AF_UNIX and (held.backlog is not None or held.connected):
        return fail(EISCONN, "SOCK-4")
    reached = _listener(kernel, call, held, name)
    if reached is None:
        joining.connect(kernel, number, destination(kernel, name))
        return _connecting(kernel, call, found, number, begun=True)
    listener, exact = reached
    if held.backlog is not None:
        return fail(EINVAL, "SOCK-4")
    other = records.get(kernel, listener)
    if other.backlog is None:
        return fail(ECONNREFUSED, "SOCK-4")
    if len(other.queue) > other.backlog:
        if not found.file.blocks:
            return fail(EAGAIN, "SOCK-4")
        if call.interrupted:
            return Done(-EINTR, restart=True)
        block = Block((WaitKey(Key.SOCKET, listener),), f"for socket {listener} to accept")
        return wait_for(kernel, call, block, 0, blocks=True)
    if held.connected:
        return fail(EISCONN, "SOCK-4")
    flow.join(kernel, number, listener, exact)
    return Done(0)


def _connecting(kernel: Kernel, call: Call, found: Opened, number: int, *, begun: bool = False) -> Result:
    """The answer while the host connects, and once it has (SOCK-14)."""
    held = records.get(kernel, number)
    if not held.connecting:
        flow.tell_error(kernel, number)
        return Done(0)
    if not found.file.blocks:
        return fail(EINPROGRESS if begun else EALREADY, "SOCK-14")
    if call.interrupted:
        return Done(-EINTR, restart=True)
    return Wait((WaitKey(Key.SOCKET, number),), None, _CONNECTING, f"for the connection of socket {number}")


def _listener(kernel: Kernel, call: Call, held: Socket, name: Name) -> tuple[int, Name] | None:
    """The socket that connections to ``name`` reach, and its exact address (SOCK-4); None where the host is to be
    asked (SOCK-14).
    """
    if held.family == AF_UNIX:
        number = names.find_unix(kernel, call, name)
        if records.get(kernel, number).type != held.type:
            raise Refused(fail(EPROTOTYPE, "SOCK-4"))
        return number, records.get(kernel, number).local or name
    name = destination(kernel, name)
    found = names.by_name(kernel, name, SOCK_STREAM)
    if found is None:
        if kernel.network:
            return None
        raise Refused(fail(ECONNREFUSED, "SOCK-4"))
    return found, name


def _aim(kernel: Kernel, call: Call, number: int, name: Name) -> Result:
    """Where datagrams go from now on, and from where alone they come."""
    held = records.get(kernel, number)
    if held.family != AF_UNIX:
        name = destination(kernel, name)
        names.ensure_port(kernel, number, loopback=True)
        records.change(kernel, number, remote=name, connected=True)
        return Done(0)
    target = names.find_unix(kernel, call, name)
    if records.get(kernel, target).type != held.type:
        return fail(EPROTOTYPE, "SOCK-4")
    records.change(kernel, number, remote=name, peer=target, connected=True)
    return Done(0)


def accept(kernel: Kernel, call: Call) -> Result:
    """Take the connection that has waited longest (SOCK-4)."""
    return _accept(kernel, call, 0)


def accept4(kernel: Kernel, call: Call) -> Result:
    """`accept` with flags (SOCK-4)."""
    flags = call.i32(3)
    found = fdtable.argument(kernel, call, 0)
    if found is None:
        return fail(EBADF, "FD-1")
    if flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC):
        return fail(EINVAL, "SOCK-4")
    return _accept(kernel, call, flags)


def _accept(kernel: Kernel, call: Call, flags: int) -> Result:
    # Arguments.
    found, number = argument(kernel, call)
    held = records.get(kernel, number)
    address, cell = call.value(1), call.value(2)
    # Errors.
    errors = ErrorSet()
    errors.add(not held.connects, EOPNOTSUPP, "SOCK-4")
    errors.add(held.backlog is None, EINVAL, "SOCK-4")
    failed = errors.first()
    if failed is not None:
        return failed
    if not held.queue:
        limit = options.timeout(held, sending=False)
        block = Block((WaitKey(Key.SOCKET, number),), f"for a connection to socket {number}", limit)
        return wait_for(kernel, call, block, 0, blocks=found.file.blocks)
    free = fdtable.lowest_free(kernel, call.target)
    if free is None:
        refused = full_table(kernel, "accept")
        return refused if isinstance(refused, RuntimeFault) else fail(EMFILE, "FD-3")
    made = held.queue[0]
    shown = names.show(records.get(kernel, made).remote, held.family)
    if address:
        failed = _tell_peer(kernel, shown, address, cell)
        if failed is not None:
            return failed
    # Effect.
    records.change(kernel, number, queue=held.queue[1:])
    description = _describe(kernel, made, flags)
    # Result.
    cloexec = bool(flags & SOCK_CLOEXEC)
    return Done(fdtable.install(kernel, call.target, free, description, cloexec=cloexec))


def _tell_peer(kernel: Kernel, shown: bytes, address: int, cell: int) -> Done | None:
    """The address of who connected; as recorded cut to what the family in the buffer says, its length not told
    (SOCK-ACCEPT-LENGTH).
    """
    if not kernel.profile.has("SOCK-ACCEPT-LENGTH"):
        return names.tell(kernel, shown, address, cell, "SOCK-4")
    head = user.copy_in(kernel, address, 2) or b""
    family = int.from_bytes(head, "little")
    room = 110 if family == AF_UNIX else names.SIZES.get(family, 16)
    return None if user.copy_out(kernel, address, shown[:room]) else fail(EFAULT, "SOCK-4")


def shutdown(kernel: Kernel, call: Call) -> Result:
    """End one direction or both (SOCK-11)."""
    # Arguments.
    _, number = argument(kernel, call)
    how = call.i32(1)
    held = records.get(kernel, number)
    # Errors.
    errors = ErrorSet()
    errors.add(how not in (SHUT_RD, SHUT_WR, SHUT_RDWR), EINVAL, "SOCK-11")
    errors.add(held.family != AF_UNIX and not held.connected, ENOTCONN, "SOCK-11")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    stops_reading, stops_writing = how != SHUT_WR, how != SHUT_RD
    records.change(kernel, number, reads=held.reads and not stops_reading, writes=held.writes and not stops_writing)
    peer = kernel.sockets.get(held.peer)
    if peer is not None and held.connects:
        tells = stops_reading and held.family == AF_UNIX  # over a network nobody is told
        records.change(
            kernel, held.peer, reads=peer.reads and not stops_writing, writes=peer.writes and not tells
        )
    # Result.
    return Done(0)


_FD = Param("sockfd", ParamKind.FD)
_ADDRESS_IN = Param("addr", ParamKind.SOCKADDR, length="addrlen")
_ADDRESS_OUT = Param("addr", ParamKind.SOCKADDR, Direction.OUT, length="addrlen")
_LENGTH = Param("addrlen", ParamKind.UINT)
_CELL = Param("addrlen", ParamKind.INT_CELL, Direction.INOUT)
_KIND = (
    Param("domain", ParamKind.ENUM, names="family"),
    Param("type", ParamKind.FLAGS, names="socket"),
    Param("protocol"),
)
_PAIR = Param("sv", ParamKind.STRUCT, Direction.OUT, struct="pair")
_FLAGS = Param("flags", ParamKind.FLAGS, names="socket")

CALLS: tuple[CallRow, ...] = (
    CallRow(41, "socket", _KIND, socket, ReturnKind.FD),
    CallRow(42, "connect", (_FD, _ADDRESS_IN, _LENGTH), connect),
    CallRow(43, "accept", (_FD, _ADDRESS_OUT, _CELL), accept, ReturnKind.FD),
    CallRow(48, "shutdown", (_FD, Param("how", ParamKind.ENUM, names="shutdown")), shutdown),
    CallRow(49, "bind", (_FD, _ADDRESS_IN, _LENGTH), bind),
    CallRow(50, "listen", (_FD, Param("backlog")), listen),
    CallRow(51, "getsockname", (_FD, _ADDRESS_OUT, _CELL), getsockname),
    CallRow(52, "getpeername", (_FD, _ADDRESS_OUT, _CELL), getpeername),
    CallRow(53, "socketpair", (*_KIND, _PAIR), socketpair),
    CallRow(288, "accept4", (_FD, _ADDRESS_OUT, _CELL, _FLAGS), accept4, ReturnKind.FD),
)
