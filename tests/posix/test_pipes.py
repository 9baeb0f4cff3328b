"""Pipes and FIFOs: rules PIPE-1 to PIPE-9, FILE-READ-5, FILE-WRITE-4."""

from __future__ import annotations

import pytest
from fileworld import AUX, BUF, NOWHERE, O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_RDWR, O_WRONLY, Files
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lindref.posix.call import retry
from lindref.posix.result import Done, RuntimeFault, Wait
from lindref.posix.structs import IOVEC, POLLFD, SIGACTION

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
GETSZ, SETSZ = 1032, 1031


def ready(w: Files, fd: int) -> int:
    """The readiness of a descriptor."""
    w.put(1, AUX + 64, POLLFD.pack(fd=fd, events=0x5))
    w.do("poll", w.ptr(AUX + 64), 1, 0)
    return POLLFD.unpack(w.get(1, AUX + 64, 8))["revents"]


@BOTH
def test_making(profile):
    """PIPE-1, FD-2, FD-3."""
    w = Files(profile)
    w.do("close", 0)
    assert w.pipe() == (0, 3)
    assert w.pipe(O_CLOEXEC | O_NONBLOCK) == (4, 5)
    assert [w.fcntl(fd, 1) for fd in (0, 3, 4, 5)] == [0, 0, 1, 1]
    assert [w.fcntl(fd, 3) for fd in (0, 3, 4, 5)] == [0, 1, O_NONBLOCK, O_NONBLOCK | 1]
    assert w.do("pipe2", w.ptr(AUX), 0o2) == -22
    assert w.do("pipe2", w.ptr(AUX), O_DIRECT) == (0 if profile == "spec" else -22)
    before = list(w.kernel.cages[1].fds), len(w.kernel.pipes)
    result = w.call("pipe", w.ptr(NOWHERE))
    assert result.value == -14 if profile == "spec" else isinstance(result, RuntimeFault)
    assert before == (list(w.kernel.cages[1].fds), len(w.kernel.pipes))
    assert w.write(0, b"x") == -9
    assert w.read(3) == -9


@BOTH
def test_ends(profile):
    """PIPE-2, PIPE-5, PIPE-6: what is in it comes out, then the end of file; all of it goes with the last end."""
    w = Files(profile)
    read_end, write_end = w.pipe()
    assert isinstance(w.call("read", read_end, w.ptr(BUF), 10), Wait)
    w.write(write_end, b"abc")
    twin = w.do("dup", write_end)
    w.do("close", write_end)
    assert w.read(read_end, 2) == b"ab"
    assert ready(w, read_end) == 1
    w.do("close", twin)
    assert ready(w, read_end) == 0x11
    assert w.read(read_end) == b"c"
    assert ready(w, read_end) == 0x10
    assert w.read(read_end) == b""
    assert len(w.kernel.pipes) == 1
    w.do("close", read_end)
    assert len(w.kernel.pipes) == 0


def test_nobody_reads():
    """PIPE-4, SIG-14 and SIGPIPE-WRITE."""
    for profile in ("spec", "lind"):
        w = Files(profile)
        w.put(1, AUX, SIGACTION.pack(sa_handler=5))
        w.do("rt_sigaction", 13, w.ptr(AUX), 0)
        read_end, write_end = w.pipe()
        w.do("close", read_end)
        assert ready(w, write_end) & 0x8
        assert w.write(write_end, b"x") == -32
        assert w.kernel.cages[1].pending == (13,)
        w.kernel.update(1, pending=())
        w.put(1, AUX, IOVEC.pack(iov_base=w.ptr(BUF), iov_len=1))
        assert w.do("writev", write_end, w.ptr(AUX), 1) == -32
        assert w.kernel.cages[1].pending == ((13,) if profile == "spec" else ())


@BOTH
def test_a_long_write_goes_as_room_comes(profile):
    """PIPE-3, FILE-WRITE-4."""
    w = Files(profile)
    read_end, write_end = w.pipe()
    data = bytes(i % 251 for i in range(100_000))
    w.put(1, BUF, data)
    call = w.make("write", write_end, w.ptr(BUF), len(data))
    result = w.kernel.call(call)
    got = b""
    while isinstance(result, Wait):
        w.kernel.changed()
        count = w.do("read", read_end, w.ptr(0x50000), 30_000)
        got += w.get(1, 0x50000, count)
        assert set(result.keys) & set(w.kernel.changed())
        result = w.kernel.call(retry(call, result.memo))
    assert result == Done(len(data))
    got += w.read(read_end, 65536)
    assert got == data


@BOTH
def test_a_long_write_is_cut(profile):
    """PIPE-3, PIPE-4, FILE-WRITE-4: a signal, O_NONBLOCK, nobody left: the count so far, or why there is none."""
    w = Files(profile)
    for how, expected in (("signal", 65536), ("nobody", 65536)):
        read_end, write_end = w.pipe()
        call = w.make("write", write_end, w.ptr(BUF), 70_000)
        result = w.kernel.call(call)
        assert isinstance(result, Wait)
        if how == "nobody":
            w.do("close", read_end)
        assert w.kernel.call(retry(call, result.memo, interrupted=how == "signal")).value == expected
    read_end, write_end = w.pipe(O_NONBLOCK)
    assert w.do("write", write_end, w.ptr(BUF), 70_000) == 65536
    assert w.do("write", write_end, w.ptr(BUF), 1) == -11
    call = w.make("write", write_end, w.ptr(BUF), 1)
    w.fcntl(write_end, 4, 0)
    waiting = w.kernel.call(call)
    assert w.kernel.call(retry(call, waiting.memo, interrupted=True)) == Done(-4, restart=True)


@BOTH
def test_short_writes_are_whole(profile):
    """PIPE-3: two that wait go in one after the other, never mixed, and only where all of one fits."""
    w = Files(profile)
    read_end, write_end = w.pipe()
    assert w.fcntl(write_end, SETSZ, 8192) == 8192
    w.write(write_end, b"." * 5000)
    w.put(1, BUF, b"a" * 4096 + b"b" * 4096)
    calls = [w.make("write", write_end, w.ptr(BUF + at), 4096) for at in (0, 4096)]
    assert all(isinstance(w.kernel.call(call), Wait) for call in calls)
    w.do("read", read_end, w.ptr(0x50000), 904)
    assert w.kernel.call(calls[1]) == Done(4096)
    assert isinstance(w.kernel.call(calls[0]), Wait)
    w.do("read", read_end, w.ptr(0x50000), 4096)
    assert w.kernel.call(calls[0]) == Done(4096)
    assert w.read(read_end, 9000) == b"b" * 4096 + b"a" * 4096


@BOTH
def test_capacity(profile):
    """PIPE-8, FCNTL-5."""
    w = Files(profile)
    read_end, write_end = w.pipe(O_NONBLOCK)
    assert w.fcntl(read_end, GETSZ) == 65536
    for asked, given in ((0, 4096), (4097, 8192), (5000, 8192), (1 << 20, 1 << 20)):
        assert w.fcntl(read_end, SETSZ, asked) == given
    w.write(write_end, b"x" * 5000)
    assert w.fcntl(write_end, SETSZ, 4096) == -16
    assert (w.fcntl(1, GETSZ), w.fcntl(1, SETSZ, 4096)) == (65536, -9)  # FCNTL-5
    w.as_user(1, 1)
    assert w.fcntl(write_end, SETSZ, (1 << 20) + 1) == -1
    w.as_user(0, 0)
    assert w.fcntl(write_end, SETSZ, -1) == -22


def test_packets():
    """PIPE-9: never joined, the rest of one is lost; and never a part by choice."""
    w = Files()
    read_end, write_end = w.pipe(O_DIRECT | O_NONBLOCK)
    for data in (b"abc", b"defgh", b"x" * 5000):
        w.write(write_end, data)
    w.answers = [1, 1, 1]
    assert w.read(read_end) == b"abc"
    assert w.read(read_end, 2) == b"de"
    assert w.read(read_end, 9000) == b"x" * 4096
    assert w.read(read_end, 9000) == b"x" * 904
    w.fcntl(write_end, 4, 0)
    w.write(write_end, b"12")
    w.write(write_end, b"34")
    w.answers = []
    assert w.read(read_end) == b"1234"


# FIFOs.


def fifo(profile: str) -> Files:
    w = Files(profile)
    assert w.at("mknod", "/w/f", 0o10666, 0) == 0
    return w


@BOTH
def test_opening_waits_for_the_other(profile):
    """PIPE-7: whoever comes first waits; both have it once both are there, even if one has gone again."""
    w = fifo(profile)
    child = w.fork()
    first = w.make("open", w.text("/w/f"), 0, 0)
    waiting = w.kernel.call(first)
    assert isinstance(waiting, Wait)
    w.kernel.changed()
    writer = w.open("/w/f", O_WRONLY, cage=child)
    assert writer == 3
    assert set(waiting.keys) & set(w.kernel.changed())
    w.write(writer, b"abc", cage=child)
    w.do("close", writer, cage=child)
    assert w.kernel.call(retry(first, waiting.memo)) == Done(3)
    assert w.read(3) == b"abc"
    assert w.read(3) == b""


@BOTH
def test_opening_without_waiting(profile):
    """PIPE-7, PIPE-5."""
    w = fifo(profile)
    assert w.open("/w/f", O_WRONLY | O_NONBLOCK) == -6
    reader = w.open("/w/f", O_NONBLOCK)
    assert reader == 3
    assert w.read(reader) == b""
    assert ready(w, reader) == 0  # nobody has come yet
    writer = w.open("/w/f", O_WRONLY)
    assert w.read(reader) == -11
    assert w.write(writer, b"x") == 1
    w.do("close", writer)
    assert ready(w, reader) == 0x11
    w.do("close", reader)
    both = w.open("/w/f", O_RDWR)
    assert both == 3
    w.write(both, b"abc")
    assert w.read(both) == b"abc"
    w.do("close", both)
    assert len(w.kernel.pipes) == 0


@BOTH
def test_an_open_that_is_given_up(profile):
    """PIPE-7: a signal, or the end of the thread, leaves nothing behind."""
    for end in ("signal", "abandon"):
        w = fifo(profile)
        call = w.make("open", w.text("/w/f"), 1, 0)
        waiting = w.kernel.call(call)
        assert isinstance(waiting, Wait)
        if end == "signal":
            assert w.kernel.call(retry(call, waiting.memo, interrupted=True)) == Done(-4, restart=True)
        else:
            w.kernel.abandon(retry(call, waiting.memo))
        assert len(w.kernel.pipes) == 0
        assert w.open("/w/f", O_WRONLY | O_NONBLOCK) == -6
        assert w.at("unlink", "/w/f") == 0


# A pipe is a queue.


class Queue(RuleBasedStateMachine):
    """A pipe of 8 KiB, never waiting, against a byte string (PIPE-2 to PIPE-6)."""

    profile = "spec"
    CAPACITY = 8192

    def __init__(self) -> None:
        super().__init__()
        self.w = Files(self.profile)
        self.read_end, self.write_end = self.w.pipe(O_NONBLOCK)
        assert self.w.fcntl(self.read_end, SETSZ, self.CAPACITY) == self.CAPACITY
        self.held = b""
        self.sent = 0
        self.readers, self.writers = [self.read_end], [self.write_end]

    @rule(size=st.sampled_from([1, 7, 100, 1000, 4095, 4096, 4097, 6000, 9000]))
    def write(self, size: int) -> None:
        data = bytes((self.sent + i) % 251 for i in range(size))
        room = self.CAPACITY - len(self.held)
        if not self.writers:
            expected = -9
        elif not self.readers:
            expected = -32
        elif size <= 4096:
            expected = size if size <= room else -11
        else:
            expected = min(size, room) or -11
        fd = self.writers[-1] if self.writers else self.write_end
        assert self.w.write(fd, data) == expected
        if expected > 0:
            self.held += data[:expected]
            self.sent += expected

    @rule(size=st.sampled_from([1, 5, 99, 1000, 4096, 9000]))
    def read(self, size: int) -> None:
        if not self.readers:
            return
        got = self.w.read(self.readers[-1], size)
        assert got == (self.held[:size] or (-11 if self.writers else b""))
        self.held = self.held[size:]

    @rule(end=st.booleans())
    def dup(self, end: bool) -> None:
        ends = self.readers if end else self.writers
        if 0 < len(ends) < 3:
            ends.append(self.w.do("dup", ends[0]))

    @rule(end=st.booleans(), last=st.integers(0, 3))
    def close(self, end: bool, last: int) -> None:
        ends = self.readers if end else self.writers
        if len(ends) > (last == 0):
            continue_with = ends.pop()
            assert self.w.do("close", continue_with) == 0

    @invariant()
    def readiness(self) -> None:
        if self.readers:
            expected = bool(self.held) | (0x10 if not self.writers else 0)
            assert ready(self.w, self.readers[0]) == expected
            assert self.w.do("ioctl", self.readers[0], 0x541B, self.w.ptr(AUX)) == 0
            assert self.w.word(AUX) == len(self.held)
        if self.writers:
            expected = (4 if self.CAPACITY - len(self.held) >= 4096 else 0) | (8 if not self.readers else 0)
            assert ready(self.w, self.writers[0]) == expected


class QueueAsRecorded(Queue):
    profile = "lind"


TestQueue = Queue.TestCase
TestQueue.settings = settings(stateful_step_count=40, max_examples=30)
TestQueueAsRecorded = QueueAsRecorded.TestCase
TestQueueAsRecorded.settings = settings(stateful_step_count=40, max_examples=10)
