"""Messages and the descriptors they carry: rules SOCK-6, SOCK-8, SOCK-13."""

from __future__ import annotations

import struct

import pytest
from fileworld import BUF, NOWHERE
from networld import DGRAM, TRUNC, Net, inet

from lindref.posix.structs import IOVEC, MSGHDR

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])


def message(w: Net, fd: int, name: str, data: bytes = b"", sizes=(3, 100), control: bytes = b"", flags: int = 0):
    """sendmsg or recvmsg with two buffers; the result and the header afterwards."""
    w.put(1, BUF, data)
    starts = (0, 500) if name == "recvmsg" else (0, sizes[0])
    vector = b"".join(
        IOVEC.pack(iov_base=w.ptr(BUF + at), iov_len=size) for at, size in zip(starts, sizes, strict=True)
    )
    w.put(1, 0x61000, vector)
    w.put(1, 0x62000, control)
    header = MSGHDR.pack(
        msg_iov=w.ptr(0x61000), msg_iovlen=2, msg_control=w.ptr(0x62000) if control else 0, msg_controllen=len(control)
    )
    w.put(1, 0x63000, header)
    result = w.do(name, fd, w.ptr(0x63000), flags)
    return result, MSGHDR.unpack(w.get(1, 0x63000, MSGHDR.size))


@BOTH
def test_messages(profile):
    """SOCK-6, SOCK-8."""
    w = Net(profile)
    one, other = w.pair()
    assert message(w, one, "sendmsg", b"abcdefg", (3, 4))[0] == 7
    result, header = message(w, other, "recvmsg", sizes=(2, 20))
    assert (result, header["msg_flags"]) == (7, 0)
    assert (w.get(1, BUF, 2), w.get(1, BUF + 500, 5)) == (b"ab", b"cdefg")
    one, other = w.pair(DGRAM)
    w.send(one, b"abcdef")
    result, header = message(w, other, "recvmsg", sizes=(1, 1))
    assert (result, header["msg_flags"]) == (2, TRUNC)
    assert w.do("sendmsg", one, w.ptr(NOWHERE), 0) == -14


def rights(*fds: int) -> bytes:
    data = struct.pack("<QII", 16 + 4 * len(fds), 1, 1) + b"".join(struct.pack("<i", fd) for fd in fds)
    return data.ljust(-(-len(data) // 8) * 8, b"\0")


def test_descriptors_on_their_way():
    """SOCK-13, FD-4: they live while nobody has them, and arrive at the lowest numbers."""
    w = Net()
    w.file("/w/a", b"contents")
    one, other = w.pair()
    fd = w.open("/w/a")
    assert message(w, one, "sendmsg", b"m", (1, 0), rights(99))[0] == -9
    assert message(w, one, "sendmsg", b"m", (1, 0), rights(fd, fd))[0] == 1
    w.send(one, b"more")
    w.do("close", fd)
    w.at("unlink", "/w/a")
    result, header = message(w, other, "recvmsg", sizes=(100, 0), control=bytes(24))
    assert (result, header["msg_controllen"], header["msg_flags"]) == (1, 24, 0)
    got = struct.unpack("<QIIii", w.get(1, 0x62000, 24))
    assert got == (24, 1, 1, fd, fd + 1)
    assert w.read(fd) == b"contents"
    assert w.read(fd + 1) == b""  # one description
    assert w.recv(other) == b"more"
    message(w, one, "sendmsg", b"m", (1, 0), rights(fd, fd + 1))
    w.do("close", fd)
    result, header = message(w, other, "recvmsg", sizes=(100, 0), control=bytes(20))
    assert header["msg_flags"] == 8
    message(w, one, "sendmsg", b"m", (1, 0), rights(fd + 1))
    for open_ in (fd, fd + 1):
        w.do("close", open_)
    before = len(w.kernel.inodes)
    w.do("close", other)
    assert len(w.kernel.inodes) == before - 1  # it went with the socket
    w = Net("lind")
    one, other = w.pair()
    assert message(w, one, "sendmsg", b"m", (1, 0), rights(1))[0] == 1  # SCM-UNTRANSLATED
    assert message(w, other, "recvmsg", sizes=(100, 0), control=bytes(24))[1]["msg_controllen"] == 0


def test_no_descriptor_goes_over_internet():
    """SOCK-13: as on Linux, those of a message are not looked at, and the bytes arrive alone."""
    w = Net()
    server = w.server(inet(7))
    client = w.client(inet(7))
    taken = w.do("accept", server, 0, 0)
    for fds in ((0,), (99,)):
        assert message(w, client, "sendmsg", b"m", (1, 0), rights(*fds))[0] == 1
    result, header = message(w, taken, "recvmsg", sizes=(100, 0), control=bytes(24))
    assert (result, header["msg_controllen"], header["msg_flags"]) == (2, 0, 0)
