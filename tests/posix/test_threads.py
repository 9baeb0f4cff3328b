"""Threads and futexes: rules THREAD-1 to THREAD-4, FUTEX-1 to FUTEX-8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import World

from lindref.posix import timers
from lindref.posix.call import retry
from lindref.posix.constants import EPOCH
from lindref.posix.kernel import ChoiceKind
from lindref.posix.result import Done, Key, NewThread, ThreadEnd, Wait, WaitKey
from lindref.posix.structs import TIMESPEC

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
WORD, SECOND = 0x500, 0x540
PRIVATE, REALTIME = 128, 256
ALL = 0xFFFFFFFF


@BOTH
def test_new_thread(profile):
    """THREAD-1, THREAD-3: ids 2, 3, ...; told to the place child_tid too."""
    w = World(profile)
    assert w.thread(stack=0x9000, size=0x2000, child_tid=0x100) == NewThread(1, 2, 0x9000, 0x2000, 0x100)
    assert w.word(0x100) == 2
    assert w.thread() == NewThread(1, 3, 0x8000, 0x1000, 0x100)
    assert w.kernel.cages[1].threads == (1, 2, 3)


def test_thread_errors():
    """THREAD-2, THREAD-ERRORS."""
    for profile, stack, place in (("spec", -22, -14), ("lind", -1, -1)):
        w = World(profile)
        assert w.thread(stack=0x800).value == stack
        assert w.thread(stack=(1 << 32) + 1).value == stack
        assert w.thread(child_tid=0xF0000000).value == place
        assert w.kernel.cages[1].threads == (1,)
        without = w.thread(child_tid=0)
        assert isinstance(without, NewThread) if profile == "spec" else without == Done(-1, failures=without.failures)


@BOTH
def test_exit_names_its_thread(profile):
    """THREAD-4: the slot after the status."""
    w = World(profile)
    w.thread()
    assert w.call("exit", 5, 2) == ThreadEnd(1, 2, 5)
    assert w.kernel.cages[1].exit_code == 0
    assert w.call("exit", 6, 99) == ThreadEnd(1, 1, 6)


def wait(w: World, expected: int, *, op: int = 0, address: int | None = None, cage: int = 1, bitset: int = ALL):
    return w.make("futex", w.ptr(WORD if address is None else address, cage), op, expected, 0, 0, bitset, cage=cage)


def begin(w: World, call) -> Wait:
    result = w.kernel.call(call)
    assert isinstance(result, Wait), result
    return result


def wake(w: World, count: int, op: int = 1, address: int = WORD, cage: int = 1, bitset: int = ALL) -> int:
    return w.do("futex", w.ptr(address, cage), op, count, 0, 0, bitset, cage=cage)


@BOTH
@pytest.mark.parametrize("private", [0, PRIVATE])
def test_wait_and_wake(profile, private):
    """FUTEX-4, FUTEX-5: vectors futex.wait.*, futex.wake.*."""
    w = World(profile)
    assert wake(w, 1, 1 | private) == 0
    w.put(1, WORD, (5).to_bytes(4, "little"))
    assert w.kernel.call(wait(w, 6, op=private)).value == -11
    calls = [wait(w, 5, op=private) for _ in range(3)]
    waits = [begin(w, call) for call in calls]
    w.kernel.changed()
    assert wake(w, 2, 1 | private) == 2
    assert w.kernel.changed() == (waits[0].keys[0], waits[1].keys[0])
    assert [w.kernel.call(retry(call, first.memo)) for call, first in zip(calls, waits, strict=True)] == [
        Done(0),
        Done(0),
        waits[2],
    ]
    assert wake(w, 5, 1 | private) == 1
    assert w.kernel.call(retry(calls[2], waits[2].memo)) == Done(0)
    assert not w.kernel.futexes


def test_wake_order_is_a_choice():
    """FUTEX-5: oldest first by default."""
    w = World()
    waits = [begin(w, wait(w, 0)) for _ in range(3)]
    w.kernel.changed()
    w.answers = [2]
    assert wake(w, 1) == 1
    assert w.kernel.changed() == waits[2].keys
    assert wake(w, 2) == 2  # all of them: nothing to choose
    assert w.asked == [(ChoiceKind.FUTEX_WAKE, 3)]


@BOTH
def test_private_and_shared_do_not_meet(profile):
    """FUTEX-3."""
    w = World(profile)
    begin(w, wait(w, 0, op=PRIVATE))
    assert wake(w, 1) == 0
    assert wake(w, 1, 1 | PRIVATE) == 1


@BOTH
def test_across_cages(profile):
    """FUTEX-3: vector futex.cross.process; private memory of two cages is two words."""
    w = World(profile)
    at = w.do("mmap", 0, 4096, 3, 0x21, -1, 0) & 0xFFFFFFFF
    child = w.fork()
    begin(w, wait(w, 0, address=at, cage=child))
    begin(w, wait(w, 0, cage=child))
    assert wake(w, 1, address=WORD) == 0
    assert wake(w, 1, address=at + 4) == 0
    assert wake(w, 1, address=at) == 1


@BOTH
def test_timeout(profile):
    """FUTEX-4: relative for WAIT, absolute for WAIT_BITSET; vectors futex.wait.timeout_*."""
    w = World(profile)
    w.put(1, 0x600, TIMESPEC.pack(tv_nsec=40_000_000))
    call = w.make("futex", w.ptr(WORD), 0, 0, w.ptr(0x600))
    first = begin(w, call)
    assert first.deadline == 40_000_000
    timers.advance(w.kernel, 40_000_000)
    assert w.kernel.call(retry(call, first.memo, timed_out=True)).value == -110
    assert not w.kernel.futexes
    w.put(1, 0x600, TIMESPEC.pack(tv_sec=3))
    assert begin(w, w.make("futex", w.ptr(WORD), 9, 0, w.ptr(0x600), 0, ALL)).deadline == 3 * 10**9
    seconds = EPOCH // 10**9 + 7
    w.put(1, 0x600, TIMESPEC.pack(tv_sec=seconds))
    realtime = w.make("futex", w.ptr(WORD), 9 | REALTIME, 0, w.ptr(0x600), 0, ALL)
    assert begin(w, realtime).deadline == 7 * 10**9
    w.put(1, 0x600, TIMESPEC.pack(tv_nsec=1))
    assert w.kernel.call(w.make("futex", w.ptr(WORD), 9, 0, w.ptr(0x600), 0, ALL)).value == -110


@BOTH
def test_interrupted(profile):
    """FUTEX-6: EINTR; only without a time limit it may be started again."""
    w = World(profile)
    w.put(1, 0x600, TIMESPEC.pack(tv_sec=1))
    for limit, restart in ((0, True), (w.ptr(0x600), False)):
        call = w.make("futex", w.ptr(WORD), 0, 0, limit)
        first = begin(w, call)
        result = w.kernel.call(retry(call, first.memo, interrupted=True))
        assert (result.value, result.restart) == (-4, restart)
    assert not w.kernel.futexes


@BOTH
def test_abandoned(profile):
    """FUTEX-7: a thread that died is not woken in another's place."""
    w = World(profile)
    call = wait(w, 0)
    w.kernel.abandon(retry(call, begin(w, call).memo))
    begin(w, wait(w, 0))
    assert wake(w, 5) == 1


@BOTH
def test_bitsets(profile):
    """FUTEX-5."""
    w = World(profile)
    a = begin(w, wait(w, 0, op=9, bitset=1))
    b = begin(w, wait(w, 0, op=9, bitset=2))
    w.kernel.changed()
    assert wake(w, 5, op=10, bitset=4) == 0
    assert wake(w, 5, op=10, bitset=2) == 1
    assert w.kernel.changed() == b.keys
    assert wake(w, 5) == 1
    assert w.kernel.changed() == a.keys
    assert wake(w, 5, op=10, bitset=0) == -22
    assert w.kernel.call(wait(w, 0, op=9, bitset=0)).value == -22


@BOTH
def test_requeue(profile):
    """FUTEX-6: vector futex.requeue."""
    w = World(profile)
    w.put(1, WORD, (3).to_bytes(4, "little"))
    waits = [begin(w, wait(w, 3)) for _ in range(4)]
    w.kernel.changed()
    assert w.do("futex", w.ptr(WORD), 4, 1, 1, w.ptr(SECOND), 9) == -11
    assert w.do("futex", w.ptr(WORD), 4, 1, 2, w.ptr(SECOND), 3) == 3
    assert w.kernel.changed() == waits[0].keys
    assert wake(w, 9, address=SECOND) == 2
    assert w.kernel.changed() == (*waits[1].keys, *waits[2].keys)
    assert w.do("futex", w.ptr(WORD), 3, 1, 1, w.ptr(SECOND)) == 1
    assert w.do("futex", w.ptr(WORD), 3, -1, 1, w.ptr(SECOND)) == -22


@BOTH
@pytest.mark.parametrize(
    ("code", "before", "after", "both"),
    [
        (0 << 28 | 0 << 24 | 7 << 12 | 5, 5, 7, True),  # set, equal
        (1 << 28 | 4 << 24 | 3 << 12 | 0, 2, 5, True),  # add, greater
        (2 << 28 | 1 << 24 | 8 << 12 | 1, 1, 9, False),  # or, not equal
        (3 << 28 | 2 << 24 | 1 << 12 | 9, 3, 2, True),  # and not, less
        (4 << 28 | 5 << 24 | 1 << 12 | 4, 3, 2, False),  # exclusive or, not less
        (8 << 28 | 0 << 24 | 4 << 12 | 0, 0, 16, True),  # set to a shifted bit
        (1 << 28 | 3 << 24 | 0xFFF << 12 | 0, 0, 0xFFFFFFFF, True),  # add -1, not greater
    ],
)
def test_wake_op(profile, code, before, after, both):
    """FUTEX-6."""
    w = World(profile)
    w.put(1, SECOND, before.to_bytes(4, "little"))
    begin(w, wait(w, 0))
    begin(w, wait(w, before, address=SECOND))
    assert w.do("futex", w.ptr(WORD), 5, 1, 1, w.ptr(SECOND), code) == 1 + both
    assert w.word(SECOND, signed=False) == after


@BOTH
@pytest.mark.parametrize(
    ("address", "op", "errno"),
    [
        (WORD + 1, 0, 22),
        (None, 0, 14),
        (0xF0000000, 0, 14),
        (WORD, 2, 38),
        (WORD, 7, 1),
        (WORD, 11, 14),
        (WORD, 15, 38),
        (WORD, 99, 38),
        (WORD, -1, 38),
        (WORD, 6, 38),
        (WORD, 1 | REALTIME, 38),
    ],
)
def test_errors(profile, address, op, errno):
    """FUTEX-1, FUTEX-2, FUTEX-8: vectors futex.wait.* and futex.op_*."""
    w = World(profile)
    assert w.do("futex", 0 if address is None else w.ptr(address), op, 0, 0, 0, 0) == -errno
    assert not w.kernel.futexes


@BOTH
def test_bad_timeouts(profile):
    """FUTEX-4."""
    w = World(profile)
    assert w.do("futex", w.ptr(WORD), 0, 0, w.ptr(0xF0000000)) == -14
    w.put(1, 0x600, TIMESPEC.pack(tv_nsec=10**9))
    assert w.do("futex", w.ptr(WORD), 0, 0, w.ptr(0x600)) == -22


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from([WORD, SECOND]), st.sampled_from([1, 2, ALL])),
        st.tuples(st.just("wake"), st.sampled_from([WORD, SECOND]), st.integers(0, 3)),
        st.tuples(st.just("requeue"), st.integers(0, 2), st.integers(0, 2)),
        st.tuples(st.just("drop"), st.integers(0, 9), st.just(0)),
    ),
    max_size=25,
)


@given(STEPS, st.lists(st.integers(0, 4), max_size=8))
def test_waiters_against_a_naive_queue(steps, answers):
    """FUTEX-5 to FUTEX-7: nobody is lost, nobody is woken twice, each wake wakes as many as it says."""
    w = World()
    w.answers = list(answers)
    waiting: dict[WaitKey, int] = {}
    calls = {}
    for what, a, b in steps:
        if what == "wait":
            call = wait(w, 0, op=9, address=a, bitset=b)
            first = begin(w, call)
            waiting[first.keys[0]] = a
            calls[first.keys[0]] = retry(call, first.memo)
        elif what == "drop" and waiting:
            key = list(waiting)[a % len(waiting)]
            w.kernel.abandon(calls[key])
            del waiting[key]
        elif what == "wake":
            here = [key for key, at in waiting.items() if at == a]
            assert wake(w, b, address=a) == min(b, len(here))
        elif what == "requeue":
            here = [key for key, at in waiting.items() if at == WORD]
            assert w.do("futex", w.ptr(WORD), 3, a, b, w.ptr(SECOND)) == min(len(here), a + b)
        woken = w.kernel.changed()
        assert all(key.kind == Key.FUTEX and key in waiting for key in woken)
        for key in woken:
            assert w.kernel.call(calls[key]) == Done(0)
            del waiting[key]
        if what == "requeue":
            moved = [key for key in waiting if w.kernel.futexes[key.id].place.offset == SECOND]
            waiting.update(dict.fromkeys(moved, SECOND))
        assert {key.id for key in waiting} == set(w.kernel.futexes)
