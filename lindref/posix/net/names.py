"""Addresses of sockets: reading and writing them, giving sockets names, finding sockets by name (SOCK-2 to SOCK-5)."""

from __future__ import annotations

from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.errno import (
    EACCES,
    EADDRINUSE,
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    ECONNREFUSED,
    EEXIST,
    EFAULT,
    EINVAL,
)
from lindref.posix.errors import fail
from lindref.posix.fs import access, inodes, tree
from lindref.posix.fs.numbers import S_IFMT, S_IFSOCK, W_OK
from lindref.posix.fs.walk import Follow, walk
from lindref.posix.kernel import Kernel
from lindref.posix.net import joining, records
from lindref.posix.net.addresses import address_of, any_address, is_any, is_local, loopback_address, make, with_port
from lindref.posix.net.numbers import AF_INET, AF_INET6, AF_UNIX, SOCK_STREAM
from lindref.posix.net.records import Name
from lindref.posix.result import Done, Refused

#: Bytes of the largest address, of the path in one, and of whole ones of the internet.
_LONGEST = 128
_UNIX = 110
SIZES = {AF_INET: 16, AF_INET6: 28}

#: First port that is given to sockets that ask for any; ports below the second are user 0's.
_EPHEMERAL = 32768
_PRIVILEGED = 1024

SO_REUSEADDR = 1 << 32 | 2
SO_REUSEPORT = 1 << 32 | 15


# Reading and writing.


def read(kernel: Kernel, address: int, length: int) -> bytes:
    """The bytes of an address argument (SOCK-2): EINVAL for an impossible length, EFAULT where it cannot be read. As
    recorded the length comes from the address itself (SOCK-LENGTH).
    """
    if kernel.profile.has("SOCK-LENGTH"):
        return _read_by_family(kernel, address)
    if not 0 <= length <= _LONGEST:
        raise Refused(fail(EINVAL, "SOCK-2"))
    data = user.copy_in(kernel, address, length)
    if data is None:
        raise Refused(fail(EFAULT, "SOCK-2"))
    return data


def _read_by_family(kernel: Kernel, address: int) -> bytes:
    if not address:
        return b""
    head = user.copy_in(kernel, address, 2)
    if head is None:
        raise Refused(fail(EFAULT, "SOCK-2"))
    family = int.from_bytes(head, "little")
    size = _UNIX if family == AF_UNIX else SIZES.get(family, 16)
    data = user.copy_in(kernel, address, user.reach(kernel, address, size, write=False)) or b""
    if family != AF_UNIX or len(data) <= 2:
        return data
    return data[:2] + (data[2:].split(b"\0")[0] if data[2] else data[2:].rstrip(b"\0"))


def parse(family: int, data: bytes) -> Name:
    """The address that ``data`` means to a socket of ``family`` (SOCK-2): EINVAL for one too short or of no form,
    EAFNOSUPPORT for one of another family.
    """
    said = int.from_bytes(data[:2], "little") if len(data) >= 2 else -1
    if family == AF_UNIX:
        if said != AF_UNIX or not 2 <= len(data) <= _UNIX:
            raise Refused(fail(EINVAL, "SOCK-2"))
        text = data[2:]
        return Name(AF_UNIX, text if text[:1] == b"\0" else text.split(b"\0")[0])
    if len(data) < SIZES[family] - (4 if family == AF_INET6 else 0):
        raise Refused(fail(EINVAL, "SOCK-2"))
    if said != family:
        raise Refused(fail(EAFNOSUPPORT, "SOCK-2"))
    body = data[2:8] if family == AF_INET else data[2:28].ljust(26, b"\0")
    return Name(family, body)


def show(name: Name | None, family: int) -> bytes:
    """An address as a structure; that of a socket without one."""
    data = name.data if name is not None else b""
    head = family.to_bytes(2, "little")
    if family == AF_UNIX:
        return head + data + (b"\0" if data[:1] not in (b"", b"\0") else b"")
    return (head + data).ljust(SIZES[family], b"\0")


def tell(kernel: Kernel, name: bytes, address: int, cell: int, rule: str) -> Done | None:
    """Write an address and its length where a call wants them, cut to the room there is (SOCK-5); the failure if that
    cannot be. As recorded both are 16 bytes whatever they are (SOCK-NAME-CUT).
    """
    known = user.copy_in(kernel, cell, 4) if cell else None
    if known is None or not user.writable(kernel, cell, 4):
        return fail(EFAULT, rule)
    room = int.from_bytes(known, "little", signed=True)
    if room < 0:
        return fail(EINVAL, rule)
    if kernel.profile.has("SOCK-NAME-CUT"):
        name = name[:16].ljust(16, b"\0")
    if not user.copy_out(kernel, address, name[:room]):
        return fail(EFAULT, rule)
    user.copy_out(kernel, cell, len(name).to_bytes(4, "little"))
    return None


# Giving names.


def bind(kernel: Kernel, call: Call, number: int, name: Name) -> None:
    """Give socket ``number`` the address ``name`` (SOCK-3); refused with the error otherwise."""
    socket = records.get(kernel, number)
    if name.family != AF_UNIX:
        _bind_port(kernel, number, name)
    elif not name.data:
        _bind_any(kernel, number)
    elif name.data[:1] == b"\0":
        if by_name(kernel, name) is not None:
            raise Refused(fail(EADDRINUSE, "SOCK-3"))
        _require_unbound(socket)
        records.change(kernel, number, local=name)
    else:
        _bind_path(kernel, call, number, name)


def _require_unbound(socket: records.Socket) -> None:
    if socket.local is not None:
        raise Refused(fail(EINVAL, "SOCK-3"))


def _bind_path(kernel: Kernel, call: Call, number: int, name: Name) -> None:
    """A name in the file system: a new file of type socket."""
    cage = kernel.cage(call.target)
    place = walk(kernel, name.data, start_of(kernel, call.target), Follow.NAME)
    try:
        tree.require_new(kernel, place)
    except Refused as refusal:
        if isinstance(refusal.result, Done) and refusal.result.value == -EEXIST:
            raise Refused(fail(EADDRINUSE, "SOCK-3")) from None
        raise
    _require_unbound(records.get(kernel, number))
    inode = tree.create(kernel, place, S_IFSOCK | 0o777, cage.umask)
    inodes.pin(kernel, inode.number)
    records.change(kernel, number, local=name, file=inode.number)


def start_of(kernel: Kernel, cage: int) -> int:
    """Where relative names of sockets begin: the cage's working directory; as recorded the host's (HOST-CWD)."""
    return kernel.host_cwd if kernel.profile.has("HOST-CWD") else kernel.cage(cage).cwd_inode


def _bind_any(kernel: Kernel, number: int) -> None:
    """An abstract name that nobody has: five hexadecimal digits."""
    socket = records.get(kernel, number)
    if socket.local is not None:
        return
    used = {other.local.data for other in kernel.sockets.values() if other.local is not None}
    free = next(n for n in range(1 << 20) if b"\0%05x" % n not in used)
    records.change(kernel, number, local=Name(AF_UNIX, b"\0%05x" % free))


def _bind_port(kernel: Kernel, number: int, name: Name, *, joined: bool = True) -> None:
    """A port; with ``joined`` the host's too, where the network is joined to it (SOCK-14)."""
    socket = records.get(kernel, number)
    if not is_local(kernel, name):
        raise Refused(fail(EADDRNOTAVAIL, "SOCK-3"))
    _require_unbound(socket)
    if 0 < name.port < _PRIVILEGED and kernel.identity.uid:
        raise Refused(fail(EACCES, "SOCK-3"))
    if name.port and any(_clashes(socket, name, other) for other in kernel.sockets.values()):
        raise Refused(fail(EADDRINUSE, "SOCK-3"))
    if joined:
        again = any(socket.options.get(SO_REUSEADDR) or b"")
        name = joining.bind(kernel, number, name, reuse=again)
    if not name.port:
        name = with_port(name, _free_port(kernel, socket))
    records.change(kernel, number, local=name)


def _clashes(socket: records.Socket, name: Name, other: records.Socket) -> bool:
    """Whether ``other`` keeps ``socket`` from having the port (SOCK-3): one of its kind, family and address with it,
    unless both allow it.
    """
    if other.local is None or (other.family, other.type, other.local.port) != (socket.family, socket.type, name.port):
        return False
    if address_of(other.local) != address_of(name) and not (is_any(other.local) or is_any(name)):
        return False
    shared = all(any(one.options.get(SO_REUSEPORT) or b"") for one in (socket, other))
    again = all(any(one.options.get(SO_REUSEADDR) or b"") for one in (socket, other))
    return not shared and not (again and other.backlog is None)


def _free_port(kernel: Kernel, socket: records.Socket) -> int:
    used = {
        other.local.port
        for other in kernel.sockets.values()
        if other.local is not None and (other.family, other.type) == (socket.family, socket.type)
    }
    free = next((port for port in range(_EPHEMERAL, 1 << 16) if port not in used), None)
    if free is None:
        raise Refused(fail(EADDRINUSE, "SOCK-3"))
    return free


def ensure_port(kernel: Kernel, number: int, *, loopback: bool) -> None:
    """Give an internet socket without a name some port, at the loopback or at any address (SOCK-3)."""
    socket = records.get(kernel, number)
    if socket.family == AF_UNIX:
        return
    here = loopback_address(socket.family) if loopback else any_address(socket.family)
    if socket.local is None:
        joined = not (loopback and socket.type == SOCK_STREAM)  # a connection inside the run needs no port outside
        _bind_port(kernel, number, make(socket.family, 0, here), joined=joined)
    elif loopback and is_any(socket.local):
        records.change(kernel, number, local=make(socket.family, socket.local.port, here))


# Finding sockets.


def by_name(kernel: Kernel, name: Name, kind: int | None = None, sender: Name | None = None) -> int | None:
    """The socket with an abstract name, or the one that packets from ``sender`` to an internet address reach; None
    without one. The one that listens comes first, then the exact address, then the older socket.
    """
    found: list[tuple[bool, bool, int]] = []
    for number, socket in kernel.sockets.items():
        local = socket.local
        if local is None or local.family != name.family or (kind is not None and socket.type != kind):
            continue
        if name.family == AF_UNIX:
            if local == name and not socket.file:
                return number
        elif socket.remote is not None and not socket.connects and socket.remote != sender:
            continue  # connected to somebody else
        elif local.port == name.port and not (socket.connects and socket.backlog is None):
            exact = address_of(local) == address_of(name)
            if exact or is_any(local):
                found.append((socket.backlog is None, not exact, number))
    return min(found)[2] if found else None


def find_unix(kernel: Kernel, call: Call, name: Name) -> int:
    """The socket with a name in the file system or an abstract one (SOCK-4); refused when there is none, with the
    walk's errors or ECONNREFUSED.
    """
    if name.data[:1] in (b"", b"\0"):
        found = by_name(kernel, name)
        if found is None:
            raise Refused(fail(ECONNREFUSED if name.data else EINVAL, "SOCK-4"))
        return found
    inode = walk(kernel, name.data, start_of(kernel, call.target)).found(kernel)
    access.require(kernel, inode, W_OK, "SOCK-4")
    for number, socket in kernel.sockets.items():
        if socket.file == inode.number and inode.mode & S_IFMT == S_IFSOCK:
            return number
    raise Refused(fail(ECONNREFUSED, "SOCK-4"))
