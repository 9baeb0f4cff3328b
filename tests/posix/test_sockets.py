"""Sockets: rules SOCK-1 to SOCK-12."""

from __future__ import annotations

import pytest
from fileworld import AUX, BUF, NOWHERE, O_CLOEXEC, O_NONBLOCK
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from networld import (
    ADDR,
    DGRAM,
    DONTWAIT,
    INET,
    INET6,
    LEN,
    NOSIGNAL,
    PACKET,
    PEEK,
    STREAM,
    TRUNC,
    UNIX,
    WAITALL,
    Net,
    inet,
    inet6,
    unix,
)

from lindref.posix.call import retry
from lindref.posix.result import Done, RuntimeFault, Wait
from lindref.posix.structs import SIGACTION, TIMEVAL
from lindref.posix.table import thaw
from lindref.state.codec import decode, encode, same

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
@BOTH
def test_making(profile):
    """SOCK-1, FD-3."""
    w = Net(profile)
    for family, kind, protocol, expected in (
        (UNIX, STREAM, 0, 3), (UNIX, PACKET, 1, 4), (INET, DGRAM, 17, 5), (INET6, STREAM, 6, 6), (UNIX, 0, 0, -94),
        (INET, PACKET, 0, -94), (INET, STREAM, 17, -93), (INET, 3, 0, -93), (UNIX, 99, 0, -22), (0, 1, 0, -97),
        (-1, 1, 0, -97), (99, 2, 0, -97), (16, 1, 0, -94),
    ):
        assert w.do("socket", family, kind, protocol) == expected, (family, kind)
    fd = w.do("socket", UNIX, STREAM | O_NONBLOCK | O_CLOEXEC, 0)
    assert (w.fcntl(fd, 1), w.fcntl(fd, 3)) == (1, O_NONBLOCK | 2)
    assert w.fstat(fd)["st_mode"] == 0o140777
    assert w.do("socketpair", INET, STREAM, 0, w.ptr(AUX)) == -95
    result = w.call("socketpair", UNIX, STREAM, 0, w.ptr(NOWHERE))
    assert result.value == -14 if profile == "spec" else isinstance(result, RuntimeFault)
    for name in ("bind", "listen", "accept", "shutdown", "recvmsg", "getsockopt"):
        assert w.do(name, 1, 0, 0, 0, 0) == -88
        assert w.do(name, 99, 0, 0, 0, 0) == -9
    while len(w.kernel.cages[1].fds) < 1024:
        w.do("dup", 1)
    result = w.call("socket", UNIX, STREAM, 0)
    assert result.value == -24 if profile == "spec" else isinstance(result, RuntimeFault)


def test_addresses():
    """SOCK-2 and SOCK-LENGTH."""
    for profile in ("spec", "lind"):
        w = Net(profile)
        spec = profile == "spec"
        tcp, local = w.do("socket", INET, STREAM, 0), w.do("socket", UNIX, STREAM, 0)
        w.put(1, ADDR, inet(0))
        assert w.do("bind", tcp, w.ptr(ADDR), 129 if spec else 16) == (-22 if spec else 0)
        assert w.do("bind", w.do("socket", INET, STREAM, 0), w.ptr(ADDR), 4) == (-22 if spec else 0)
        assert w.do("bind", tcp, w.ptr(NOWHERE), 16) == -14
        assert w.named("bind", local, inet(0)) == -22
        assert w.named("connect", tcp, b"\x63\0" + bytes(14)) == -97
        assert w.named("connect", tcp, bytes(16)) == 0


@BOTH
def test_names_in_the_file_system(profile):
    """SOCK-3, NAME-1, HOST-CWD."""
    w = Net(profile)
    fd, other = (w.do("socket", UNIX, STREAM, 0) for _ in range(2))
    assert w.named("bind", fd, unix(b"/w/s\0rest")) == 0
    assert w.stat("/w/s")["st_mode"] == 0o140755
    assert w.named("bind", fd, unix(b"/w/t\0")) == -22
    assert w.named("bind", other, unix(b"/w/s\0")) == -98
    assert w.named("bind", other, unix(b"/none/s\0")) == -2
    assert w.open("/w/s") == -6
    child = w.fork()
    w.at("chdir", "/w", cage=child)
    assert w.named("bind", other, unix(b"rel\0")) == 0
    assert w.at("access", "/w/rel" if profile == "lind" else "/rel", 0) == 0
    w.do("close", fd)
    assert w.at("access", "/w/s", 0) == 0  # the name stays
    assert w.named("connect", w.do("socket", UNIX, STREAM, 0), unix(b"/w/s\0")) == -111


@BOTH
def test_abstract_names(profile):
    """SOCK-3: free again once the socket is gone; an empty address gets one."""
    w = Net(profile)
    fd = w.do("socket", UNIX, DGRAM, 0)
    assert w.named("bind", fd, unix(b"\0abc")) == 0
    assert w.named("bind", w.do("socket", UNIX, DGRAM, 0), unix(b"\0abc")) == -98
    w.do("close", fd)
    assert w.named("bind", w.do("socket", UNIX, DGRAM, 0), unix(b"\0abc")) == 0
    some = w.do("socket", UNIX, DGRAM, 0)
    assert w.named("bind", some, unix(b"")) == 0
    assert w.called("getsockname", some)[:8] == unix(b"\0" + b"00000")


@BOTH
def test_ports(profile):
    """SOCK-3: lowest free, refused where taken, shared where both allow it."""
    w = Net(profile)
    one, two, three = (w.do("socket", INET, STREAM, 0) for _ in range(3))
    assert w.named("bind", one, inet(0)) == 0
    assert w.called("getsockname", one) == inet(32768)
    assert w.named("bind", two, inet(32768)) == -98
    assert w.named("bind", two, inet(32768, bytes(4))) == -98
    assert w.named("bind", two, inet(0, bytes(4))) == 0
    assert w.called("getsockname", two) == inet(32769, bytes(4))
    assert w.named("bind", two, inet(5)) == -22
    assert w.named("bind", three, inet(0, b"\x08\x08\x08\x08")) == -99
    w.put(1, AUX, b"\1\0\0\0")
    for fd in (one, three):
        assert w.do("setsockopt", fd, 1, 2, w.ptr(AUX), 4) == 0
    assert w.named("bind", three, inet(32768)) == 0
    w.as_user(5, 5)
    assert w.named("bind", w.do("socket", INET, DGRAM, 0), inet(80)) == -13


@BOTH
@pytest.mark.parametrize("address", [unix(b"/w/s\0"), unix(b"\0name"), inet(4000), inet6(4000)])
def test_connections(profile, address):
    """SOCK-4, SOCK-6, SOCK-8, SOCK-11: who connects can send before anybody accepts; closing is the end."""
    w = Net(profile)
    server = w.server(address)
    assert w.ready(server) == 0
    client = w.client(address)
    assert w.send(client, b"early") == 5
    assert w.ready(server) == 1
    assert w.named("connect", client, address) == -106
    end = w.do("accept", server, 0, 0)
    assert w.recv(end) == b"early"
    assert w.recv(end) == -11
    assert w.send(end, b"answer") == 6
    assert w.recv(client, 3) == b"ans"
    assert w.recv(client, 9, PEEK) == b"wer"
    assert w.read(client) == b"wer"
    w.send(end, b"last")
    w.do("close", end)
    assert w.recv(client) == b"last"
    assert w.recv(client) == b""
    assert w.send(client, b"x", NOSIGNAL) == -32
    w.do("close", client)
    w.do("close", server)
    assert len(w.kernel.sockets) == 0


@BOTH
def test_refused_connections(profile):
    """SOCK-4."""
    w = Net(profile)
    w.file("/w/a")
    stream, datagram = w.do("socket", UNIX, STREAM, 0), w.do("socket", UNIX, DGRAM, 0)
    tcp = w.do("socket", INET, STREAM, 0)
    assert w.named("connect", stream, unix(b"/w/none\0")) == -2
    assert w.named("connect", stream, unix(b"/w/a\0")) == -111
    assert w.named("connect", stream, unix(b"\0none")) == -111
    w.named("bind", datagram, unix(b"/w/d\0"))
    assert w.named("connect", stream, unix(b"/w/d\0")) == -91
    assert w.named("connect", tcp, inet(9)) == -111
    assert w.named("connect", tcp, inet(9, b"\x08\x08\x08\x08")) == -101
    assert w.do("listen", datagram, 1) == -95
    assert w.do("listen", stream, 1) == -22
    assert w.do("accept", stream, 0, 0) == -22
    assert w.do("accept", datagram, 0, 0) == -95
    assert w.do("accept4", stream, 0, 0, 1) == -22
    w.at("chmod", "/w/d", 0o755)
    w.as_user(4, 4)
    other = w.do("socket", UNIX, DGRAM, 0)
    assert w.named("connect", other, unix(b"/w/d\0")) == -13


@BOTH
def test_waiting_to_be_accepted(profile):
    """SOCK-4: one more than the backlog; whoever waits is woken by accept, oldest first."""
    w = Net(profile)
    server = w.server(unix(b"\0s"), backlog=0)
    clients = [w.do("socket", UNIX, STREAM | O_NONBLOCK * (i == 1), 0) for i in range(3)]
    assert w.named("connect", clients[0], unix(b"\0s")) == 0
    assert w.named("connect", clients[1], unix(b"\0s")) == -11
    call = w.make("connect", clients[2], w.ptr(ADDR), 4)
    waiting = w.kernel.call(call)
    assert isinstance(waiting, Wait)
    w.kernel.changed()
    end = w.do("accept4", server, 0, 0, O_NONBLOCK | O_CLOEXEC)
    assert (w.fcntl(end, 1), w.fcntl(end, 3)) == (1, O_NONBLOCK | 2)
    assert set(waiting.keys) & set(w.kernel.changed())
    assert w.kernel.call(retry(call, waiting.memo)) == Done(0)
    w.send(clients[2], b"2")
    assert w.recv(w.do("accept", server, 0, 0)) == b"2"
    call = w.make("accept", server, 0, 0)
    waiting = w.kernel.call(call)
    assert w.kernel.call(retry(call, waiting.memo, interrupted=True)) == Done(-4, restart=True)
    w.named("connect", clients[1], unix(b"\0s"))
    w.do("close", server)
    assert w.recv(clients[1]) == b""


def test_who_is_where():
    """SOCK-5, SOCK-NAME-CUT, SOCK-ACCEPT-LENGTH."""
    w = Net()
    server = w.server(inet6(4000))
    client = w.client(inet6(4000))
    w.put(1, LEN, (128).to_bytes(4, "little"))
    end = w.do("accept", server, w.ptr(ADDR), w.ptr(LEN))
    assert w.word(LEN) == 28
    assert w.get(1, ADDR, 28) == w.called("getsockname", client) == w.called("getpeername", end)
    assert w.called("getpeername", client) == w.called("getsockname", end) == inet6(4000)
    assert w.called("getpeername", client, 5) == inet6(4000)[:5]
    assert w.word(LEN) == 28
    assert w.called("getpeername", server) == -107
    assert w.called("getsockname", w.pair()[0]) == unix(b"")
    assert w.called("getsockname", server, -1) == -22
    assert w.do("getsockname", server, w.ptr(ADDR), 0) == -14
    w = Net("lind")
    server = w.server(unix(b"/w/name\0"))
    assert w.called("getsockname", server) == unix(b"/w/name").ljust(16, b"\0")
    w.client(unix(b"/w/name\0"))
    w.put(1, LEN, (99).to_bytes(4, "little"))
    w.do("accept", server, w.ptr(ADDR), w.ptr(LEN))
    assert w.word(LEN) == 99


@BOTH
def test_broken_connections(profile):
    """SOCK-6, SOCK-9, SOCK-11, SIGPIPE-WRITE."""
    w = Net(profile)
    w.put(1, AUX, SIGACTION.pack(sa_handler=5))
    w.do("rt_sigaction", 13, w.ptr(AUX), 0)
    one, other = w.pair()
    w.send(one, b"unread")
    w.do("close", other)
    assert w.ready(one) & 0x18 == 0x18
    w.put(1, LEN, (4).to_bytes(4, "little"))
    assert w.do("getsockopt", one, 1, 4, w.ptr(ADDR), w.ptr(LEN)) == 0
    assert w.word(ADDR) == 104
    for flags, raises in ((NOSIGNAL, False), (0, profile == "spec")):
        assert w.send(one, b"x", flags) == -32
        assert bool(w.kernel.cages[1].pending) is raises
    one, other = w.pair()
    w.send(one, b"unread")
    w.do("close", other)
    assert w.recv(one) == -104
    assert w.recv(one) == b""
    assert w.send(w.do("socket", UNIX, STREAM, 0), b"x") == -107
    assert w.send(w.do("socket", INET, STREAM, 0), b"x", NOSIGNAL) == -32
    assert w.send(w.pair()[0], b"x", 0, unix(b"\0a")) == -106
    assert w.send(w.pair()[0], b"x", 1) == -95


@BOTH
def test_unix_datagrams(profile):
    """SOCK-6, SOCK-7, SOCK-8."""
    w = Net(profile)
    one, other = w.pair(DGRAM)
    for data in (b"abc", b"", b"defgh"):
        assert w.send(one, data) == len(data)
    assert w.recv(other) == b"abc"
    assert w.recv(other) == b""
    assert w.do("recvfrom", other, w.ptr(BUF), 2, TRUNC, 0, 0) == 5
    assert w.recv(other) == -11
    assert w.send(one, bytes(212_993)) == -90
    count = 0
    while w.send(one, bytes(1000), DONTWAIT) == 1000:
        count += 1
    assert count == 212_992 // 1256
    call = w.make("write", one, w.ptr(BUF), 1000)
    waiting = w.kernel.call(call)
    w.kernel.changed()
    w.recv(other)
    assert set(waiting.keys) & set(w.kernel.changed())
    assert w.kernel.call(retry(call, waiting.memo)) == Done(1000)
    w.do("close", other)
    assert w.send(one, b"x") == -111
    server, client = (w.do("socket", UNIX, DGRAM, 0) for _ in range(2))
    w.named("bind", server, unix(b"/w/d\0"))
    w.named("bind", client, unix(b"\0c"))
    assert w.send(client, b"hi", 0, unix(b"/w/d\0")) == 2
    w.put(1, LEN, (128).to_bytes(4, "little"))
    assert w.do("recvfrom", server, w.ptr(BUF), 99, 0, w.ptr(ADDR), w.ptr(LEN)) == 2
    assert w.get(1, ADDR, 4) == unix(b"\0c")
    assert w.send(client, b"x") == -107


@BOTH
def test_internet_datagrams(profile):
    """SOCK-6, SOCK-7, SOCK-9: what nobody gets is lost; a connected socket is told, and hears only its peer."""
    w = Net(profile)
    server, client, stranger = (w.do("socket", INET, DGRAM, 0) for _ in range(3))
    w.named("bind", server, inet(5000))
    assert w.send(client, b"x") == -89
    assert w.send(client, b"x", 0, inet(9)) == 1
    assert w.send(client, b"x", 0, inet(9, b"\x08\x08\x08\x08")) == -101
    assert w.send(client, bytes(65508), 0, inet(5000)) == -90
    assert w.send(client, b"ping", 0, inet(5000)) == 4
    assert w.recv(server, 99) == b"ping"
    assert w.named("connect", client, inet(9)) == 0
    assert w.send(client, b"x") == 1
    assert w.recv(client) == -111
    assert w.recv(client) == -11
    w.named("connect", client, inet(5000))
    port = int.from_bytes(w.called("getsockname", client)[2:4], "big")
    w.send(stranger, b"no", 0, inet(port))
    assert w.recv(client) == -11
    w.send(server, b"yes", 0, inet(port))
    assert w.recv(client) == b"yes"
    assert w.named("connect", client, bytes(16)) == 0
    w.send(stranger, b"now", 0, inet(port))
    assert w.recv(client) == b"now"
    for _ in range(5):
        assert w.send(stranger, bytes(60_000), 0, inet(5000)) == 60_000  # those without room are lost
    assert [len(w.recv(server, 65536)) for _ in range(3)] == [60_000] * 3
    assert w.recv(server) == -11


@BOTH
def test_packets_in_sequence(profile):
    """SOCK-7, SOCK-8."""
    w = Net(profile)
    one, other = w.pair(PACKET)
    w.send(one, b"abc")
    w.send(one, b"de")
    w.answers = [1]
    assert w.read(other, 2) == b"ab"
    assert w.read(other) == b"de"
    w.do("close", one)
    assert w.read(other) == b""


@BOTH
def test_waiting_for_all(profile):
    """SOCK-8: MSG_WAITALL over several arrivals, up to the end or a signal."""
    w = Net(profile)
    one, other = w.pair()
    w.send(one, b"abc")
    call = w.make("recvfrom", other, w.ptr(0x50000), 8, WAITALL, 0, 0)
    waiting = w.kernel.call(call)
    assert isinstance(waiting, Wait)
    w.send(one, b"de")
    again = w.kernel.call(retry(call, waiting.memo))
    assert isinstance(again, Wait)
    w.send(one, b"fghij")
    assert w.kernel.call(retry(call, again.memo)) == Done(8)
    assert w.get(1, 0x50000, 8) == b"abcdefgh"
    assert w.recv(other) == b"ij"
    w.send(one, b"abc")
    waiting = w.kernel.call(call)
    assert w.kernel.call(retry(call, waiting.memo, interrupted=True)) == Done(3)
    w.send(one, b"xy")
    waiting = w.kernel.call(call)
    w.do("close", one)
    assert w.kernel.call(retry(call, waiting.memo)).value == 2


def test_half_an_address():
    """SOCK-8 and RECVFROM-HALF."""
    for profile in ("spec", "lind"):
        w = Net(profile)
        one, other = w.pair(DGRAM)
        w.send(one, b"abc")
        assert w.do("recvfrom", other, w.ptr(BUF), 9, 0, w.ptr(ADDR), 0) == (-14 if profile == "spec" else 0)
        assert w.recv(other) == b"abc"  # nothing was lost


@BOTH
def test_limits_of_waits(profile):
    """SOCK-12."""
    w = Net(profile)
    one, _ = w.pair()
    w.put(1, AUX, TIMEVAL.pack(tv_usec=50_000))
    assert w.do("setsockopt", one, 1, 20, w.ptr(AUX), 8) == -22
    assert w.do("setsockopt", one, 1, 20, w.ptr(AUX), 16) == 0
    call = w.make("read", one, w.ptr(BUF), 5)
    waiting = w.kernel.call(call)
    assert waiting.deadline == w.kernel.now + 50_000_000
    w.kernel.now += 1000
    assert w.kernel.call(retry(call, waiting.memo)).deadline == waiting.deadline
    assert w.kernel.call(retry(call, waiting.memo, timed_out=True)).value == -11


@BOTH
def test_options(profile):
    """SOCK-12."""
    w = Net(profile)
    tcp, local = w.do("socket", INET, STREAM, 0), w.do("socket", UNIX, DGRAM, 0)

    def get(fd: int, level: int, number: int, room: int = 16) -> bytes | int:
        w.put(1, LEN, room.to_bytes(4, "little", signed=True))
        result = w.do("getsockopt", fd, level, number, w.ptr(ADDR), w.ptr(LEN))
        return w.get(1, ADDR, w.word(LEN)) if result == 0 else result

    def put(fd: int, level: int, number: int, data: bytes) -> int:
        w.put(1, AUX, data)
        return w.do("setsockopt", fd, level, number, w.ptr(AUX), len(data))

    assert get(tcp, 1, 3) == b"\1\0\0\0"
    assert get(tcp, 1, 3, 2) == b"\1\0"
    assert get(tcp, 1, 3, -1) == -22
    assert put(tcp, 1, 2, b"\5\0\0\0") == 0
    assert get(tcp, 1, 2) == b"\1\0\0\0"
    assert put(tcp, 1, 8, (9000).to_bytes(4, "little")) == 0
    assert get(tcp, 1, 8) == (18000).to_bytes(4, "little")
    assert put(tcp, 1, 3, bytes(4)) == -92
    assert put(tcp, 1, 2, bytes(3)) == -22
    assert get(tcp, 1, 9999) == -92
    assert get(tcp, 77, 1) == -95
    assert get(local, 6, 1) == put(local, 77, 1, bytes(4)) == -95
    assert put(tcp, 77, 1, bytes(4)) == -92
    assert get(w.do("socket", INET6, STREAM, 0), 77, 1) == -92
    assert get(local, 1, 39) == b"\1\0\0\0"
    assert get(tcp, 1, 30) == bytes(4)
    w.do("listen", tcp, 1)
    assert get(tcp, 1, 30) == b"\1\0\0\0"
    assert w.do("getsockopt", tcp, 1, 3, w.ptr(NOWHERE), w.ptr(LEN)) == -14
    assert w.do("setsockopt", tcp, 1, 2, w.ptr(NOWHERE), 4) == -14


class Streams(RuleBasedStateMachine):
    """Both ends of a stream, never waiting, against two byte strings (SOCK-6 to SOCK-8, SOCK-10, SOCK-11)."""

    ROOM = 212_992

    def __init__(self) -> None:
        super().__init__()
        self.w = Net()
        self.ends = list(self.w.pair())
        for fd in self.ends:
            self.w.fcntl(fd, 4, O_NONBLOCK)
        self.inbox = [b"", b""]
        self.reads, self.writes = [True, True], [True, True]
        self.sent = 0

    sides = st.integers(0, 1)

    @rule(side=sides, size=st.sampled_from([1, 50, 4096, 5000, 100_000, 200_000]))
    def send(self, side: int, size: int) -> None:
        data = bytes((self.sent + i) % 251 for i in range(min(size, 3000))) * (size // 3000 + 1)
        data = data[:size]
        room = self.ROOM - len(self.inbox[1 - side])
        expected = -32 if not self.writes[side] else min(size, room) or -11
        self.w.put(1, 0x20000, data)
        assert self.w.do("sendto", self.ends[side], self.w.ptr(0x20000), size, NOSIGNAL, 0, 0) == expected
        if expected > 0:
            self.inbox[1 - side] += data[:expected]
            self.sent += 1

    @rule(side=sides, size=st.sampled_from([1, 7, 4000, 60_000]), peek=st.booleans())
    def receive(self, side: int, size: int, peek: bool) -> None:
        got = self.w.recv(self.ends[side], size, PEEK * peek)
        assert got == (self.inbox[side][:size] or (-11 if self.reads[side] else b""))
        if not peek and isinstance(got, bytes):
            self.inbox[side] = self.inbox[side][size:]

    @rule(side=sides, how=st.integers(0, 2))
    def shutdown(self, side: int, how: int) -> None:
        assert self.w.do("shutdown", self.ends[side], how) == 0
        if how != 1:
            self.reads[side] = self.writes[1 - side] = False
        if how != 0:
            self.writes[side] = self.reads[1 - side] = False

    @invariant()
    def readiness(self) -> None:
        for side in (0, 1):
            expected = 1 if self.inbox[side] or not self.reads[side] else 0
            expected |= 0x2000 if not self.reads[side] else 0
            expected |= 0x10 if not (self.reads[side] or self.writes[side]) else 0
            expected |= 4 if len(self.inbox[1 - side]) < self.ROOM else 0
            assert self.w.ready(self.ends[side]) == expected

    def teardown(self) -> None:
        state = self.w.kernel.freeze()
        assert same(thaw(self.w, decode(encode(state))).freeze(), state)


TestStreams = Streams.TestCase
TestStreams.settings = settings(stateful_step_count=30, max_examples=25)
