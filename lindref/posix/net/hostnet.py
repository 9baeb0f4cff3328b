"""The host's network as a run uses it: real sockets, none of which ever makes anybody wait but `HostNet.poll`.

Sockets are known by handles: those asked for by the run have the number of its socket, those that come from outside
numbers from `FIRST_HANDLE` on. What happens is a tuple that begins with a word: ``accept`` (listener, handle, address,
port), ``connected`` (handle, error, own address, own port), ``data`` (handle, bytes), ``end`` (handle), ``broken``
(handle, error), ``sent`` (handle, count), ``datagram`` (handle, bytes, address, port). Errors are the host's names,
which `gate` turns into the guest's. Addresses are 4 or 16 bytes.
"""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress
from errno import EADDRNOTAVAIL, EINPROGRESS, ENETUNREACH, errorcode
from typing import Any

from lindref import classes
from lindref.posix.net.numbers import PIECE

#: The first handle of what comes from outside.
FIRST_HANDLE = 1 << 32


#: Seconds that what was sent may take to go when the run is over.
LINGER = 5.0

Event = tuple[Any, ...]

_LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


@classes.define(eq=False)
class _Line:
    """A real socket. ``room``: bytes that may be read from it; ``out``: bytes to be written; ``closing``: to be closed
    once they have gone; ``shutting``: to be shut for writing then."""

    handle: int
    real: socket.socket
    kind: str
    room: int = 0
    out: bytes = b""
    closing: bool = False
    shutting: bool = False
    interest: int = 0


class HostNet:
    """The host's network; with ``reach`` "loopback" nothing goes beyond that interface (SOCK-15)."""

    def __init__(self, reach: str) -> None:
        self._reach = reach
        self._lines: dict[int, _Line] = {}
        self._selector = selectors.DefaultSelector()
        self._next = FIRST_HANDLE

    # Asked for by the run. Errors come back as the host's names, "" for none.

    def bind(
        self, handle: int, family: int, address: bytes, port: int, *, stream: bool, reuse: bool
    ) -> tuple[str, int]:
        """Take an address; the error and the port."""
        host = self._local(family, address)
        if host is None:
            return errorcode[EADDRNOTAVAIL], 0
        try:
            real = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
        except OSError as error:
            return _name(error), 0
        try:
            real.setblocking(False)
            if reuse:
                real.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                real.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            real.bind((host, port))
        except (OSError, OverflowError) as error:
            real.close()
            return _name(error), 0
        self._lines[handle] = _Line(handle, real, "name" if stream else "datagram")
        return "", real.getsockname()[1]

    def listen(self, handle: int, backlog: int) -> str:
        """Let others connect to an address that was taken."""
        line = self._lines[handle]
        try:
            line.real.listen(backlog)
        except OSError as error:
            return _name(error)
        line.kind, line.room = "listener", 1
        self._watch(line)
        return ""

    def connect(self, handle: int, family: int, address: bytes, port: int) -> str:
        """Begin to connect; ``connected`` tells how it went."""
        host = socket.inet_ntop(family, address)
        if self._reach == "loopback" and not _is_loopback(family, address):
            return errorcode[ENETUNREACH]
        line = self._lines.get(handle)
        try:
            real = line.real if line is not None else socket.socket(family, socket.SOCK_STREAM)
            real.setblocking(False)
        except OSError as error:
            return _name(error)
        line = self._lines[handle] = line or _Line(handle, real, "connecting")
        line.kind = "connecting"
        failed = real.connect_ex((host, port))
        if failed not in (0, EINPROGRESS):
            self._drop(line)
            return errorcode.get(failed, "EIO")
        self._watch(line)
        return ""

    # Told by the run.

    def allow(self, handle: int, room: int) -> None:
        """So many bytes may come."""
        line = self._lines.get(handle)
        if line is not None:
            line.room = room
            self._watch(line)

    def push(self, handle: int, data: bytes) -> None:
        """Send ``data``; ``sent`` tells when it has gone."""
        line = self._lines.get(handle)
        if line is not None:
            line.out += data
            self._watch(line)

    def send_to(self, handle: int, data: bytes, address: bytes, port: int) -> None:
        """Send a datagram, which may get lost."""
        line = self._lines.get(handle)
        if line is None:
            return
        family = line.real.family
        if self._reach == "loopback" and not _is_loopback(family, address):
            return
        with suppress(OSError):
            line.real.sendto(data, (socket.inet_ntop(family, address), port))

    def shut(self, handle: int) -> None:
        """We send no more."""
        line = self._lines.get(handle)
        if line is not None:
            line.shutting = True
            self._watch(line)

    def close(self, handle: int) -> None:
        """We have done with it; what was sent before still goes."""
        line = self._lines.get(handle)
        if line is not None:
            line.closing = True
            if line.out:
                self._watch(line)
            else:
                self._drop(line)

    def finish(self) -> None:
        """The run is over: what was sent goes for `LINGER` seconds at most, then all is closed."""
        for line in list(self._lines.values()):
            line.room = 0
            self.close(line.handle)
        with suppress(OSError):
            while self._lines and self._selector.select(LINGER):
                for key, _ in self._selector.select(0):
                    self._write(key.data)
        for line in list(self._lines.values()):
            self._drop(line)
        self._selector.close()

    # What happens.

    def poll(self, timeout: float | None, extra: int | None = None) -> tuple[bool, tuple[Event, ...]]:
        """What happened, after at most ``timeout`` seconds (None: however long it takes), and whether the file
        descriptor ``extra`` can be read."""
        if extra is not None:
            self._selector.register(extra, selectors.EVENT_READ)
        try:
            ready = self._selector.select(timeout)
        finally:
            if extra is not None:
                self._selector.unregister(extra)
        events: list[Event] = []
        other = False
        for key, mask in sorted(ready, key=lambda one: one[0].fd if one[0].data is None else one[0].data.handle):
            line = key.data
            if line is None:
                other = True
            elif line.kind == "connecting":
                events.append(self._connected(line))
            else:
                if mask & selectors.EVENT_WRITE:
                    events += self._write(line)
                if mask & selectors.EVENT_READ and line.handle in self._lines:
                    events += self._read(line)
        return other, tuple(events)

    def _connected(self, line: _Line) -> Event:
        failed = line.real.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            self._drop(line)
            return ("connected", line.handle, errorcode.get(failed, "EIO"), b"", 0)
        line.kind = "stream"
        self._watch(line)
        host, port = line.real.getsockname()[:2]
        return ("connected", line.handle, "", socket.inet_pton(line.real.family, host), port)

    def _write(self, line: _Line) -> list[Event]:
        if not line.out:
            self._watch(line)
            return []
        try:
            count = line.real.send(line.out)
        except BlockingIOError:
            return []
        except OSError as error:
            return self._broken(line, error)
        line.out = line.out[count:]
        if not line.out and line.closing:
            self._drop(line)
        else:
            self._watch(line)
        return [("sent", line.handle, count)]

    def _read(self, line: _Line) -> list[Event]:
        try:
            if line.kind == "listener":
                return self._accept(line)
            if line.kind == "datagram":
                data, (host, port, *_) = line.real.recvfrom(PIECE)
                return [("datagram", line.handle, data, socket.inet_pton(line.real.family, host), port)]
            data = line.real.recv(min(line.room, PIECE))
        except BlockingIOError:
            return []
        except OSError as error:
            return [] if line.kind == "datagram" else self._broken(line, error)
        line.room -= len(data)
        if not data:
            line.room = 0
        self._watch(line)
        return [("data", line.handle, data) if data else ("end", line.handle)]

    def _accept(self, line: _Line) -> list[Event]:
        real, (host, port, *_) = line.real.accept()
        real.setblocking(False)
        self._next += 1
        made = self._lines[self._next] = _Line(self._next, real, "stream")
        return [("accept", line.handle, made.handle, socket.inet_pton(real.family, host), port)]

    def _broken(self, line: _Line, error: OSError) -> list[Event]:
        self._drop(line)
        return [("broken", line.handle, _name(error))]

    # Housekeeping.

    def _watch(self, line: _Line) -> None:
        """Look for what ``line`` can do now, and do what does not wait."""
        if line.shutting and not line.out:
            line.shutting = False
            with suppress(OSError):
                line.real.shutdown(socket.SHUT_WR)
        wanted = selectors.EVENT_READ if line.room and line.kind != "connecting" else 0
        wanted |= selectors.EVENT_WRITE if line.out or line.kind == "connecting" else 0
        if wanted == line.interest:
            return
        if not line.interest:
            self._selector.register(line.real, wanted, line)
        elif wanted:
            self._selector.modify(line.real, wanted, line)
        else:
            self._selector.unregister(line.real)
        line.interest = wanted

    def _drop(self, line: _Line) -> None:
        if line.interest:
            self._selector.unregister(line.real)
            line.interest = 0
        line.real.close()
        self._lines.pop(line.handle, None)

    def _local(self, family: int, address: bytes) -> str | None:
        """The address to take for one of the run: any of this host's means the loopback's, unless all are meant."""
        if self._reach == "any" or (any(address) and _is_loopback(family, address)):
            return socket.inet_ntop(family, address)
        return None if any(address) else _LOOPBACK[socket.AddressFamily(family)]


def _is_loopback(family: int, address: bytes) -> bool:
    return address[:1] == b"\x7f" if family == socket.AF_INET else address == bytes(15) + b"\1"


def _name(error: Exception) -> str:
    return errorcode.get(getattr(error, "errno", None) or 0, "EINVAL")
