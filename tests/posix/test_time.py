"""Clocks, sleeping, interval timers: rules TIME-1 to TIME-7."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import World

from lindref.posix import timers
from lindref.posix.call import retry
from lindref.posix.constants import EPOCH
from lindref.posix.result import Done, Wait
from lindref.posix.structs import ITIMERVAL, TIMESPEC

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
SECOND = 10**9


@BOTH
@pytest.mark.parametrize("clock", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 10, 16, 99, -1])
def test_clock_gettime(profile, clock):
    """TIME-1, TIME-2: vectors time.gettime.*."""
    w = World(profile)
    timers.advance(w.kernel, 5 * SECOND + 7)
    known = clock in (*range(10), 11)
    assert w.do("clock_gettime", clock, w.ptr(0x400)) == (0 if known else -22)
    if known:
        shown = TIMESPEC.unpack(w.get(1, 0x400, 16))
        base = EPOCH // SECOND if clock in (0, 5, 8, 11) else 0
        assert shown == {"tv_sec": base + 5 + 37 * (clock == 11), "tv_nsec": 7}
    assert w.do("clock_gettime", clock, 0) == (-14 if known else -22)


def sleep(w: World, seconds: int, nanos: int, *, clock: int = 0, flags: int = 0, remain: int = 0):
    w.put(1, 0x400, TIMESPEC.pack(tv_sec=seconds, tv_nsec=nanos))
    return w.make("clock_nanosleep", clock, flags, w.ptr(0x400), remain)


@BOTH
@pytest.mark.parametrize(
    ("seconds", "nanos", "clock", "flags", "answer"),
    [
        (0, SECOND, 0, 0, -22),
        (0, -1, 0, 0, -22),
        (-1, 0, 0, 0, -22),
        (0, 0, 0, 0, 0),
        (1, 0, 0, 1, 0),
        (0, 1, 99, 0, -22),
        (0, 1, 3, 0, -95),
        (0, 1, 4, 0, -95),
    ],
)
def test_nanosleep_at_once(profile, seconds, nanos, clock, flags, answer):
    """TIME-3: vectors time.nanosleep.*."""
    w = World(profile)
    assert w.kernel.call(sleep(w, seconds, nanos, clock=clock, flags=flags)).value == answer
    assert w.do("clock_nanosleep", 0, 0, 0, 0) == -14


@BOTH
def test_nanosleep(profile):
    """TIME-3, TIME-4: for a time, until a time, and cut short with what is left."""
    w = World(profile)
    timers.advance(w.kernel, 100)
    call = sleep(w, 2, 5, remain=w.ptr(0x420))
    first = w.kernel.call(call)
    assert first == Wait((), 100 + 2 * SECOND + 5, 100 + 2 * SECOND + 5, "for time to pass")
    timers.advance(w.kernel, SECOND)
    assert w.kernel.call(retry(call, first.memo)) == first
    result = w.kernel.call(retry(call, first.memo, interrupted=True))
    assert (result.value, result.restart) == (-4, False)
    assert TIMESPEC.unpack(w.get(1, 0x420, 16)) == {"tv_sec": 1, "tv_nsec": 105}
    timers.advance(w.kernel, first.deadline)
    assert w.kernel.call(retry(call, first.memo, timed_out=True)) == Done(0)
    until = sleep(w, EPOCH // SECOND + 9, 0, flags=1)
    assert w.kernel.call(until).deadline == 9 * SECOND
    assert w.kernel.call(sleep(w, 9, 0, clock=1, flags=1)).deadline == 9 * SECOND


def arm(w: World, value: tuple[int, int], interval: tuple[int, int] = (0, 0), which: int = 0) -> int:
    w.put(
        1,
        0x400,
        ITIMERVAL.pack(value_sec=value[0], value_usec=value[1], interval_sec=interval[0], interval_usec=interval[1]),
    )
    return w.do("setitimer", which, w.ptr(0x400), 0)


def query(w: World, which: int = 0) -> list[int]:
    """Interval and value, as the structure has them."""
    assert w.do("setitimer", which, 0, w.ptr(0x440)) == 0
    return [w.word(0x440 + 8 * i, size=8) for i in range(4)]


@BOTH
def test_query_unset(profile):
    """TIME-5: vector time.itimer.query_unset."""
    assert query(World(profile)) == [0, 0, 0, 0]


def test_fires():
    """TIME-5, TIME-6, ITIMER-UNITS: vector time.itimer.fire; 800000 us fired after 20 ms (3i.md 10)."""
    for profile, when in (("spec", 800_000_000), ("lind", 20_000_000)):
        w = World(profile)
        assert arm(w, (0, 800_000)) == 0
        assert timers.next_deadline(w.kernel) == when
        timers.advance(w.kernel, when - 1)
        assert w.kernel.cages[1].pending == ()
        timers.advance(w.kernel, when)
        assert w.kernel.cages[1].pending == (14,)
        assert timers.next_deadline(w.kernel) is None


def test_interval():
    """TIME-6: each period sends one."""
    w = World()
    arm(w, (0, 50_000), (0, 20_000))
    timers.advance(w.kernel, 50_000_000)
    assert w.kernel.cages[1].pending == (14,)
    assert timers.next_deadline(w.kernel) == 70_000_000
    w = World("lind")
    arm(w, (0, 50_000), (0, 50_000))
    timers.advance(w.kernel, 60_000_000)
    assert w.kernel.cages[1].pending == (14, 14, 14)
    arm(w, (0, 0))
    assert timers.next_deadline(w.kernel) is None


def test_old_values():
    """TIME-5, ITIMER-UNITS: vectors time.itimer.old and disarm."""
    w = World()
    arm(w, (100, 500_000), (7, 250_000))
    timers.advance(w.kernel, SECOND + 1)
    assert query(w) == [7, 250_000, 99, 500_000]
    arm(w, (0, 0))
    assert query(w) == [0, 0, 0, 0]
    w = World("lind")
    arm(w, (100, 500_000), (7, 250_000))
    timers.advance(w.kernel, SECOND)
    assert query(w) == [7, 0, 100, 0]
    arm(w, (0, 0))
    assert query(w) == [7, 0, 100, 0]


def test_which():
    """TIME-5, TIME-7: vectors time.itimer.which_*."""
    for profile, bad in (("spec", -22), ("lind", 0)):
        w = World(profile)
        assert arm(w, (1, 0), which=1) == 0
        assert arm(w, (1, 0), which=2) == 0
        assert arm(w, (1, 0), which=-1) == bad
        assert timers.next_deadline(w.kernel) is None
    w = World()
    arm(w, (3, 4), (1, 2), which=1)
    assert query(w, 1) == [1, 2, 3, 4]


def test_bad_values():
    """TIME-5."""
    w = World()
    for value in ((0, 1_000_000), (-1, 0), (0, -1)):
        assert arm(w, value) == -22
        assert arm(w, (0, 0), value) == -22
    assert w.do("setitimer", 0, w.ptr(0xF0000000), 0) == -14
    assert w.do("setitimer", 0, 0, w.ptr(0xF0000000)) == -14


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 50), st.integers(0, 20)), max_size=6), st.integers(1, 99))
def test_timers_of_many_cages_fire_in_order(arms, step):
    """TIME-6: however time is cut into steps, the same signals come at the same times."""
    logs = []
    for pace in (step, 1000):
        w = World("lind")
        cages = [1, w.fork(), w.fork()]
        for cage, value, period in arms:
            number, tick = cages[cage - 1], 20_000_000
            w.put(number, 0x400, ITIMERVAL.pack(value_usec=value * tick, interval_usec=period * tick))
            assert w.do("setitimer", 0, w.ptr(0x400, number), 0, cage=number) == 0
        for now in range(0, 1001, pace):
            timers.advance(w.kernel, now * 1_000_000)
        timers.advance(w.kernel, 1000 * 1_000_000)
        logs.append([len(w.kernel.cages[cage].pending) for cage in cages])
    assert logs[0] == logs[1]
