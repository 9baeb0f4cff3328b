"""Waiting for many descriptors: rules POLL-1 to POLL-9, EPOLL-1 to EPOLL-7."""

from __future__ import annotations

from itertools import pairwise

import pytest
from fileworld import AUX, BUF, NOWHERE, O_CLOEXEC, O_NONBLOCK, O_PATH, O_RDWR, Files
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lindref.posix import signals
from lindref.posix.call import retry
from lindref.posix.result import Done, RuntimeFault, Wait
from lindref.posix.structs import EPOLL_EVENT, POLLFD, SIGACTION, TIMEVAL

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
IN, OUT, ERR, HUP, NVAL = 1, 4, 8, 16, 32
ET, ONESHOT = 1 << 31, 1 << 30
ADD, DEL, MOD = 1, 2, 3

#: Where arrays and sets lie, out of the way of transfers.
ARRAY = 0x60000
MS = 1_000_000


def fill(w: Files, *pairs: tuple[int, int]) -> tuple[int, int]:
    """An array for poll; its address and length."""
    w.put(1, ARRAY, b"".join(POLLFD.pack(fd=fd, events=events, revents=0x7FF) for fd, events in pairs))
    return w.ptr(ARRAY), len(pairs)


def bits(w: Files, count: int) -> list[int]:
    return [POLLFD.unpack(w.get(1, ARRAY + 8 * i, 8))["revents"] for i in range(count)]


def poll(w: Files, *pairs: tuple[int, int]) -> tuple[int, list[int]]:
    """poll without waiting: its result and the bits."""
    return w.do("poll", *fill(w, *pairs), 0), bits(w, len(pairs))


@BOTH
def test_readiness(profile):
    """POLL-1, POLL-2."""
    w = Files(profile)
    w.file("/w/a")
    file, folder = w.open("/w/a", O_RDWR), w.open("/w")
    read_end, write_end = w.pipe()
    assert poll(w, (file, IN | OUT), (folder, IN), (read_end, IN | OUT), (write_end, IN | OUT)) == (3, [5, 1, 0, 4])
    assert poll(w, (file, 0), (-5, IN), (read_end, IN)) == (0, [0, 0, 0])
    w.do("close", write_end)
    assert poll(w, (read_end, 0)) == (1, [HUP])
    assert poll(w, (99, IN), (w.open("/w/a", O_PATH), IN))[1] == [NVAL, NVAL]


def test_twins():
    """POLL-2 and POLL-TWINS."""
    w = Files()
    read_end, write_end = w.pipe()
    w.write(write_end, b"x")
    assert poll(w, (read_end, IN), (read_end, IN)) == (2, [IN, IN])
    w = Files("lind")
    read_end, write_end = w.pipe()
    w.write(write_end, b"x")
    assert poll(w, (read_end, IN), (read_end, IN)) == (1, [0, IN])


@BOTH
def test_poll_arguments(profile):
    """POLL-3."""
    w = Files(profile)
    assert w.do("poll", w.ptr(BUF), 1025, 0) == -22
    result = w.call("poll", w.ptr(NOWHERE), 1, 0)
    assert result.value == -14 if profile == "spec" else isinstance(result, RuntimeFault)


def test_poll_waits():
    """POLL-4: until something is ready, or the time is up; the limit stays what it was at first."""
    w = Files()
    read_end, write_end = w.pipe()
    call = w.make("poll", *fill(w, (read_end, IN)), 50)
    waiting = w.kernel.call(call)
    assert isinstance(waiting, Wait)
    assert waiting.deadline == w.kernel.now + 50 * MS
    w.kernel.now += 20 * MS
    again = w.kernel.call(retry(call, waiting.memo))
    assert again.deadline == waiting.deadline
    w.kernel.now = waiting.deadline
    assert w.kernel.call(retry(call, again.memo, timed_out=True)) == Done(0)
    waiting = w.kernel.call(call)
    w.kernel.changed()
    w.write(write_end, b"x")
    assert set(waiting.keys) & set(w.kernel.changed())
    assert w.kernel.call(retry(call, waiting.memo)) == Done(1)
    assert w.kernel.call(w.make("poll", *fill(w, (write_end, IN)), -1)).deadline is None


def test_poll_with_nothing_to_look_at():
    """POLL-4 and POLL-QUIRKS."""
    for profile in ("spec", "lind"):
        w = Files(profile)
        read_end, _ = w.pipe()
        for pairs in ((), ((-1, IN),)):
            result = w.call("poll", *fill(w, *pairs), 300)
            assert isinstance(result, Wait) if profile == "spec" else result == Done(0)
        result = w.call("poll", *fill(w, (read_end, IN), (99, IN)), 300)
        if profile == "spec":
            assert result == Done(1)
        else:
            assert isinstance(result, Wait)
            call = w.make("poll", *fill(w, (read_end, IN), (99, IN)), 300)
            assert w.kernel.call(retry(call, result.memo, timed_out=True)) == Done(1)
        result = w.call("poll", *fill(w, (5000, IN)), 0)
        assert result == Done(1) if profile == "spec" else isinstance(result, RuntimeFault)
        instance = w.do("epoll_create1", 0)
        assert w.do("poll", *fill(w, (instance, IN)), 0) == (0 if profile == "spec" else -77)


@BOTH
def test_signals_end_the_wait(profile):
    """POLL-5: with EINTR, never restarted; what is ready wins."""
    w = Files(profile)
    read_end, write_end = w.pipe()
    call = w.make("poll", *fill(w, (read_end, IN)), -1)
    waiting = w.kernel.call(call)
    result = w.kernel.call(retry(call, waiting.memo, interrupted=True))
    assert (result.value, result.restart) == (-4, False)
    w.write(write_end, b"x")
    assert w.kernel.call(retry(call, waiting.memo, interrupted=True)) == Done(1)


@BOTH
def test_ppoll(profile):
    """POLL-6: another mask while it waits, also when its thread dies."""
    w = Files(profile)
    read_end, write_end = w.pipe()
    signals.set_mask(w.kernel, 1, 0b1000)
    w.put(1, AUX, (0b11).to_bytes(8, "little"))
    call = w.make("ppoll", *fill(w, (read_end, IN)), -1, w.ptr(AUX))
    waiting = w.kernel.call(call)
    assert w.kernel.cages[1].mask == 0b11
    again = w.kernel.call(retry(call, waiting.memo))
    w.write(write_end, b"x")
    assert w.kernel.call(retry(call, again.memo)) == Done(1)
    assert w.kernel.cages[1].mask == 0b1000
    w.read(read_end)
    waiting = w.kernel.call(call)
    w.kernel.abandon(retry(call, waiting.memo))
    assert w.kernel.cages[1].mask == 0b1000
    assert w.do("ppoll", *fill(w, (write_end, OUT)), 0, 0) == 1
    result = w.call("ppoll", *fill(w, (write_end, OUT)), 0, w.ptr(NOWHERE))
    assert result.value == -14 if profile == "spec" else isinstance(result, RuntimeFault)


@BOTH
def test_ppoll_and_what_was_pending(profile):
    """POLL-6, SIG-8, deviation SIG-TRIGGER: it ends the wait, and the handler runs before the old mask is back."""
    w = Files(profile)
    read_end, _write_end = w.pipe()
    w.put(1, AUX, SIGACTION.pack(sa_handler=9, sa_flags=0, sa_mask=0))
    assert w.do("rt_sigaction", 10, w.ptr(AUX), 0) == 0
    signals.set_mask(w.kernel, 1, signals.bit(10))
    w.do("kill", 1, 10)
    w.put(1, AUX, bytes(8))
    call = w.make("ppoll", *fill(w, (read_end, IN)), -1, w.ptr(AUX))
    waiting = w.kernel.call(call)
    assert signals.interrupts(w.kernel, 1) is (profile == "spec")
    if profile == "lind":
        w.do("kill", 1, 10)
        assert signals.interrupts(w.kernel, 1)
    assert w.kernel.call(retry(call, waiting.memo, interrupted=True)).value == -4
    delivery = signals.next_delivery(w.kernel, 1)
    signals.unpark(w.kernel, 1)
    if profile == "lind":
        assert delivery is None
        assert signals.interrupts(w.kernel, 1)
    else:
        assert (delivery.signo, delivery.saved_mask) == (10, signals.bit(10))
        signals.handler_returned(w.kernel, 1, delivery.saved_mask)
    assert w.kernel.cages[1].mask == signals.bit(10)


@BOTH
def test_ppoll_without_time_to_wait(profile):
    """POLL-6: what its mask lets through counts, unless something is ready (Linux; deviation SIG-TRIGGER)."""
    w = Files(profile)
    read_end, write_end = w.pipe()
    w.put(1, AUX, SIGACTION.pack(sa_handler=9, sa_flags=0, sa_mask=0))
    w.do("rt_sigaction", 10, w.ptr(AUX), 0)
    signals.set_mask(w.kernel, 1, signals.bit(10))
    w.do("kill", 1, 10)
    for mask, result in ((0, -4 if profile == "spec" else 0), (signals.bit(10), 0)):
        w.put(1, AUX, mask.to_bytes(8, "little"))
        assert w.do("ppoll", *fill(w, (read_end, IN)), 0, w.ptr(AUX)) == result
        signals.unpark(w.kernel, 1)
        assert w.kernel.cages[1].mask == signals.bit(10)
    w.write(write_end, b"x")
    w.put(1, AUX, bytes(8))
    assert w.do("ppoll", *fill(w, (read_end, IN)), 0, w.ptr(AUX)) == 1
    assert w.kernel.cages[1].pending == (10,)


def test_ppolls_mask_goes_when_nothing_is_handled():
    """POLL-6: whoever interrupted it is gone by then."""
    w = Files("spec")
    read_end, _write_end = w.pipe()
    signals.set_mask(w.kernel, 1, 0b1000)
    w.put(1, AUX, bytes(8))
    call = w.make("ppoll", *fill(w, (read_end, IN)), -1, w.ptr(AUX))
    waiting = w.kernel.call(call)
    assert w.kernel.call(retry(call, waiting.memo, interrupted=True)).value == -4
    assert w.kernel.cages[1].mask == 0
    signals.unpark(w.kernel, 1)
    assert w.kernel.cages[1].mask == 0b1000


# select.


def select(w: Files, count: int, *sets: set[int] | None, limit: tuple[int, int] | None = (0, 0)):
    """The result of select, and the sets afterwards."""
    addresses = []
    for i, members in enumerate(sets):
        w.put(1, ARRAY + 256 * i, sum(1 << fd for fd in members or ()).to_bytes(128, "little"))
        addresses.append(0 if members is None else w.ptr(ARRAY + 256 * i))
    place = 0
    if limit is not None:
        w.put(1, AUX, TIMEVAL.pack(tv_sec=limit[0], tv_usec=limit[1]))
        place = w.ptr(AUX)
    result = w.call("select", count, *addresses, place)
    after = []
    for i in range(len(sets)):
        number = int.from_bytes(w.get(1, ARRAY + 256 * i, 128), "little")
        after.append({fd for fd in range(1024) if number >> fd & 1})
    return result, after


@BOTH
def test_select(profile):
    """POLL-7."""
    w = Files(profile)
    read_end, write_end = w.pipe()
    other, _ = w.pipe()
    assert select(w, 10, {read_end, other}, {write_end}, {read_end}) == (Done(1), [set(), {write_end}, set()])
    w.write(write_end, b"x")
    assert select(w, 10, {read_end, other}, {write_end}, None)[0] == Done(2)
    assert select(w, read_end, {read_end}, None, None) == (Done(0), [set(), set(), set()])
    w.do("close", write_end)
    w.read(read_end)
    assert select(w, 10, {read_end, other}, None, None)[1][0] == {read_end}


def test_select_arguments():
    """POLL-8, SELECT-EINVAL."""
    for profile in ("spec", "lind"):
        w = Files(profile)
        spec = profile == "spec"
        assert select(w, -1, None, None, None)[0].value == -22
        assert select(w, 60, {50}, None, None)[0].value == (-9 if spec else -22)
        assert select(w, 1024, {1}, None, None)[0].value == (0 if spec else -22)
        result = w.call("select", 3, w.ptr(NOWHERE), 0, 0, 0)
        assert result.value == -14 if spec else isinstance(result, RuntimeFault)


def test_select_limits():
    """POLL-9, SELECT-NEGATIVE."""
    for profile in ("spec", "lind"):
        w = Files(profile)
        spec = profile == "spec"
        read_end, _ = w.pipe()
        now = w.kernel.now
        assert select(w, 9, {read_end}, None, None, limit=None)[0].deadline is None
        assert select(w, 9, {read_end}, None, None, limit=(2, 500_000))[0].deadline == now + 2500 * MS
        waits = select(w, 9, {read_end}, None, None, limit=(0, 1500))[0]
        assert waits.deadline == now + (1_500_000 if spec else 1_000_000)
        result = select(w, 9, {read_end}, None, None, limit=(-1, 0))[0]
        assert result.value == -22 if spec else (isinstance(result, Wait) and result.deadline is None)
        assert TIMEVAL.unpack(w.get(1, AUX, 16))["tv_sec"] == -1  # left as it was


# epoll.


def control(w: Files, instance: int, op: int, fd: int, events: int = 0, data: int = 0) -> int:
    w.put(1, AUX, EPOLL_EVENT.pack(events=events, data=data))
    return w.do("epoll_ctl", instance, op, fd, w.ptr(AUX))


def told(w: Files, instance: int, most: int = 8) -> list[tuple[int, int]]:
    """(events, data) of what is reported without waiting."""
    count = w.do("epoll_wait", instance, w.ptr(BUF), most, 0)
    assert count >= 0, count
    fields = [EPOLL_EVENT.unpack(w.get(1, BUF + 12 * i, 12)) for i in range(count)]
    return [(one["events"] & 0xFFFFFFFF, one["data"]) for one in fields]


@BOTH
def test_making_instances(profile):
    """EPOLL-1."""
    w = Files(profile)
    assert w.do("epoll_create", 0) == -22
    assert w.do("epoll_create", 1) == 3
    assert w.do("epoll_create1", O_CLOEXEC) == 4
    assert [w.fcntl(fd, 1) for fd in (3, 4)] == [0, 1]
    assert w.do("epoll_create1", 1) == -22


@BOTH
def test_control(profile):
    """EPOLL-2, EPOLL-PANIC, EPOLL-KIND."""
    w = Files(profile)
    w.file("/w/a")
    instance, (read_end, _), file = w.do("epoll_create1", 0), w.pipe(), w.open("/w/a")
    assert control(w, instance, ADD, read_end, IN) == 0
    assert control(w, instance, ADD, read_end, IN) == -17
    assert control(w, instance, MOD, read_end, OUT) == 0
    assert control(w, instance, DEL, read_end) == 0
    assert control(w, instance, DEL, read_end) == -2
    assert control(w, instance, MOD, read_end, IN) == -2
    assert control(w, instance, 9, read_end, IN) == -22
    assert control(w, instance, ADD, 99, IN) == -9
    assert control(w, instance, ADD, file, IN) == -1
    assert control(w, instance, ADD, instance, IN) == (-22 if profile == "spec" else -1)
    assert w.do("epoll_ctl", instance, ADD, read_end, w.ptr(NOWHERE)) == -14
    for wrong in (99, read_end):
        result = w.call("epoll_ctl", wrong, DEL, read_end, 0)
        assert result.value == (-9 if wrong == 99 else -22) if profile == "spec" else isinstance(result, RuntimeFault)


def test_reports():
    """EPOLL-3 and EPOLL-DATA: level after level, each in its turn."""
    for profile in ("spec", "lind"):
        w = Files(profile)
        instance = w.do("epoll_create1", 0)
        pipes = [w.pipe() for _ in range(3)]
        for i, (read_end, write_end) in enumerate(pipes):
            control(w, instance, ADD, read_end, IN, data=(1 << 60) + i)
            w.write(write_end, b"x")
        expected = [(1 << 60) + i if profile == "spec" else read_end for i, (read_end, _) in enumerate(pipes)]
        assert [data for _, data in told(w, instance)] == expected
        turns = [told(w, instance, 1)[0][1] for _ in range(6)]
        assert turns == expected * 2
        w.read(pipes[1][0])
        assert len(told(w, instance)) == 2


@BOTH
def test_edges_and_single_shots(profile):
    """EPOLL-4."""
    w = Files(profile)
    instance, (read_end, write_end) = w.do("epoll_create1", 0), w.pipe()
    control(w, instance, ADD, read_end, IN | ET)
    w.write(write_end, b"abc")
    assert [e for e, _ in told(w, instance)] == [IN]
    assert told(w, instance) == []
    w.read(read_end, 1)
    assert told(w, instance) == []
    w.write(write_end, b"d")
    assert [e for e, _ in told(w, instance)] == [IN]
    control(w, instance, MOD, read_end, IN | ONESHOT)
    assert [e for e, _ in told(w, instance)] == [IN]
    w.write(write_end, b"e")
    assert told(w, instance) == []
    control(w, instance, MOD, read_end, IN | ONESHOT)
    assert [e for e, _ in told(w, instance)] == [IN]


@BOTH
def test_interests_go_with_descriptions(profile):
    """EPOLL-5."""
    w = Files(profile)
    instance, (read_end, write_end) = w.do("epoll_create1", 0), w.pipe()
    control(w, instance, ADD, read_end, IN)
    twin = w.do("dup", read_end)
    w.write(write_end, b"x")
    w.do("close", read_end)
    assert len(told(w, instance)) == 1
    w.do("close", twin)
    assert told(w, instance) == []


def test_nested_instances():
    """EPOLL-6."""
    w = Files()
    chain = [w.do("epoll_create1", 0) for _ in range(7)]
    read_end, write_end = w.pipe()
    control(w, chain[0], ADD, read_end, IN)
    results = [control(w, outer, ADD, inner, IN) for inner, outer in pairwise(chain)]
    assert results[:4] == [0] * 4
    assert results[-1] == -40
    assert control(w, chain[0], ADD, chain[2], IN) == -40  # a circle
    assert poll(w, (chain[2], IN))[0] == 0
    call = w.make("epoll_wait", chain[2], w.ptr(BUF), 4, -1)
    waiting = w.kernel.call(call)
    w.kernel.changed()
    w.write(write_end, b"x")
    assert set(waiting.keys) & set(w.kernel.changed())
    assert w.kernel.call(retry(call, waiting.memo)) == Done(1)
    assert poll(w, (chain[2], IN)) == (1, [IN])


@BOTH
def test_epoll_wait(profile):
    """EPOLL-7, FD-BEYOND."""
    w = Files(profile)
    instance, (read_end, write_end) = w.do("epoll_create1", 0), w.pipe()
    control(w, instance, ADD, read_end, IN)
    assert w.do("epoll_wait", instance, w.ptr(BUF), 0, 0) == -22
    assert w.do("epoll_wait", instance, w.ptr(NOWHERE), 1, 0) == -14
    assert w.do("epoll_wait", 99, w.ptr(BUF), 1, 0) == -9
    assert w.do("epoll_wait", read_end, w.ptr(BUF), 1, 0) == (-22 if profile == "spec" else -9)
    call = w.make("epoll_wait", instance, w.ptr(BUF), 4, 30)
    waiting = w.kernel.call(call)
    assert waiting.deadline == w.kernel.now + 30 * MS
    assert w.kernel.call(retry(call, waiting.memo, timed_out=True)) == Done(0)
    result = w.kernel.call(retry(call, waiting.memo, interrupted=True))
    assert (result.value, result.restart) == (-4, False)
    w.kernel.changed()
    other, _ = w.pipe()
    control(w, instance, ADD, write_end, OUT)
    assert set(waiting.keys) & set(w.kernel.changed())  # a new interest wakes who waits
    assert other
    result = w.call("epoll_wait", -1, w.ptr(BUF), 4, 0)
    assert result.value == -9 if profile == "spec" else isinstance(result, RuntimeFault)


def test_an_instance_as_a_file():
    """FILE-READ-5, FILE-WRITE-5 and EPOLL-KIND."""
    w = Files()
    instance = w.do("epoll_create1", 0)
    assert w.read(instance) == -22
    assert w.do("write", instance, w.ptr(BUF), 0) == -22
    w = Files("lind")
    assert w.do("write", w.do("epoll_create1", 0), w.ptr(BUF), 0) == 0


# No wake-up is lost.


class WakeUps(RuleBasedStateMachine):
    """A poll and an epoll_wait that wait for ends of three pipes: whenever they would come back, a key they wait for
    has changed (POLL-4, EPOLL-3).
    """

    def __init__(self) -> None:
        super().__init__()
        self.w = Files()
        self.ends = [end for _ in range(3) for end in self.w.pipe(O_NONBLOCK)]
        for write_end in self.ends[1::2]:
            while self.w.write(write_end, b"z" * 4096) == 4096:
                pass
        for read_end, write_end in zip(self.ends[0:2:2], self.ends[1:2:2], strict=True):
            while isinstance(self.w.read(read_end, 65536), bytes):
                pass
            assert write_end
        self.instance = self.w.do("epoll_create1", 0)
        for i, end in enumerate(self.ends):
            control(self.w, self.instance, ADD, end, OUT if i % 2 else IN)
        self.start()

    def start(self) -> None:
        """New waits; those that come back at once are none."""
        w = self.w
        w.kernel.changed()
        watched = [(end, IN) for end in self.ends[0:2]] + [(end, OUT) for end in self.ends[3::2]]
        self.calls = [w.make("poll", *fill(w, *watched), -1), w.make("epoll_wait", self.instance, w.ptr(BUF), 6, -1)]
        self.waits = [w.kernel.call(call) for call in self.calls]

    @rule(which=st.integers(0, 2), size=st.sampled_from([1, 4096, 60000]))
    def read(self, which: int, size: int) -> None:
        self.w.read(self.ends[2 * which], size)
        self.look()

    @rule(which=st.integers(0, 2), size=st.sampled_from([1, 4096, 60000]))
    def write(self, which: int, size: int) -> None:
        self.w.do("write", self.ends[2 * which + 1], self.w.ptr(0x20000), size)
        self.look()

    @rule(which=st.integers(0, 5))
    def close(self, which: int) -> None:
        self.w.do("close", self.ends[which])
        self.look()

    def look(self) -> None:
        changed = set(self.w.kernel.changed())
        for call, waiting in zip(self.calls, self.waits, strict=True):
            if isinstance(waiting, Wait):
                now = self.w.kernel.call(retry(call, waiting.memo))
                assert isinstance(now, Wait) or changed & set(waiting.keys)
        self.start()

    @invariant()
    def never_both(self) -> None:
        assert len(self.waits) == 2


TestWakeUps = WakeUps.TestCase
TestWakeUps.settings = settings(stateful_step_count=30, max_examples=25)
