"""A `Files` with calls on sockets."""

from __future__ import annotations

import struct

from fileworld import AUX, BUF, Files

from lindref.posix.result import Done
from lindref.posix.structs import POLLFD

UNIX, INET, INET6 = 1, 2, 10
STREAM, DGRAM, PACKET = 1, 2, 5
PEEK, TRUNC, DONTWAIT, WAITALL, NOSIGNAL = 2, 0x20, 0x40, 0x100, 0x4000
ADDR, LEN = 0x60000, 0x60200


def unix(text: bytes) -> bytes:
    return struct.pack("<H", UNIX) + text


def inet(port: int, host: bytes = b"\x7f\0\0\1") -> bytes:
    return struct.pack("<H", INET) + port.to_bytes(2, "big") + host + bytes(8)


def inet6(port: int, host: bytes = bytes(15) + b"\1") -> bytes:
    return struct.pack("<H", INET6) + port.to_bytes(2, "big") + bytes(4) + host + bytes(4)


class Net(Files):
    """Files with calls on sockets."""

    def pair(self, kind: int = STREAM) -> tuple[int, int]:
        assert self.do("socketpair", UNIX, kind, 0, self.ptr(AUX)) == 0
        return self.word(AUX), self.word(AUX + 4)

    def named(self, name: str, fd: int, address: bytes) -> int:
        self.put(1, ADDR, address.ljust(128, b"\0"))
        return self.do(name, fd, self.ptr(ADDR), len(address))

    def called(self, name: str, fd: int, room: int = 128) -> bytes | int:
        self.put(1, LEN, room.to_bytes(4, "little", signed=True))
        result = self.do(name, fd, self.ptr(ADDR), self.ptr(LEN))
        return self.get(1, ADDR, min(self.word(LEN), room)) if result >= 0 else result

    def send(self, fd: int, data: bytes, flags: int = 0, to: bytes = b"") -> int:
        self.put(1, BUF, data)
        self.put(1, ADDR, to.ljust(128, b"\0"))
        return self.do("sendto", fd, self.ptr(BUF), len(data), flags, self.ptr(ADDR) if to else 0, len(to))

    def recv(self, fd: int, count: int = 4096, flags: int = DONTWAIT) -> bytes | int:
        result = self.call("recvfrom", fd, self.ptr(BUF), count, flags, 0, 0)
        assert isinstance(result, Done), result
        return self.get(1, BUF, min(result.value, count)) if result.value >= 0 else result.value

    def ready(self, fd: int) -> int:
        self.put(1, AUX + 64, POLLFD.pack(fd=fd, events=0x2005))
        self.do("poll", self.ptr(AUX + 64), 1, 0)
        return POLLFD.unpack(self.get(1, AUX + 64, 8))["revents"]

    def server(self, address: bytes, backlog: int = 5) -> int:
        family = int.from_bytes(address[:2], "little")
        fd = self.do("socket", family, STREAM, 0)
        assert self.named("bind", fd, address) == 0
        assert self.do("listen", fd, backlog) == 0
        return fd

    def client(self, address: bytes) -> int:
        fd = self.do("socket", int.from_bytes(address[:2], "little"), STREAM, 0)
        assert self.named("connect", fd, address) == 0
        return fd
