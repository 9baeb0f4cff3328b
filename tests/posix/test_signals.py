"""Sending, masking, taking and handling signals: rules SIG-1 to SIG-18."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import World

from lindref.posix import processes, signals
from lindref.posix.call import retry
from lindref.posix.kernel import ChoiceKind
from lindref.posix.result import Done, Key, Wait, WaitKey
from lindref.posix.signals import Action
from lindref.posix.structs import SIGACTION

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
RESETHAND, NODEFER, RESTART, NOCLDSTOP = 0x80000000, 0x40000000, 0x10000000, 1
TERMINATING = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31]
IGNORED = [17, 23, 28]
STOPPING = [19, 20, 21, 22]


def act(w: World, signo: int, handler: int, flags: int = 0, mask: int = 0, cage: int = 1) -> None:
    w.put(cage, 0x300, SIGACTION.pack(sa_handler=handler, sa_flags=flags, sa_mask=mask))
    assert w.do("rt_sigaction", signo, w.ptr(0x300, cage), 0, cage=cage) == 0


def mask(w: World, how: int | None = None, bits: int = 0, cage: int = 1) -> int:
    """Change the mask; the old one."""
    w.put(cage, 0x340, bits.to_bytes(8, "little"))
    new = 0 if how is None else w.ptr(0x340, cage)
    assert w.do("rt_sigprocmask", how or 0, new, w.ptr(0x348, cage), cage=cage) == 0
    return w.word(0x348, cage, 8, signed=False)


def of(*numbers: int) -> int:
    return sum(signals.bit(n) for n in numbers)


class Runner:
    """Takes signals as the system does and keeps a log of handler bodies."""

    def __init__(self, w: World, cage: int = 1) -> None:
        self.w, self.cage = w, cage
        self.log: list[int] = []
        self.ended: int | None = None

    def deliver(self) -> None:
        """A delivery point: push a frame for each signal, then run the bodies, the last pushed first."""
        frames = []
        while (delivery := signals.next_delivery(self.w.kernel, self.cage)) is not None:
            if delivery.action is Action.HANDLER:
                frames.append(delivery)
            else:
                assert delivery.action is Action.TERMINATE
                self.ended = delivery.signo
                return
        for delivery in reversed(frames):
            self.log += [delivery.signo, -delivery.signo]
            signals.handler_returned(self.w.kernel, self.cage, delivery.saved_mask)
            self.deliver()


@BOTH
@pytest.mark.parametrize("signo", TERMINATING)
def test_default_terminates(profile, signo):
    """SIG-10; property 40: the status is the number."""
    w = World(profile)
    child = w.fork()
    assert w.do("kill", child, signo) == 0
    assert signals.interrupts(w.kernel, child)
    delivery = signals.next_delivery(w.kernel, child)
    assert (delivery.action, delivery.signo) == (Action.TERMINATE, signo)
    assert signals.next_delivery(w.kernel, child) is None
    assert w.finish(child) == signo


@BOTH
@pytest.mark.parametrize("signo", IGNORED)
def test_default_ignores(profile, signo):
    """SIG-3; property 45: nothing changes."""
    w = World(profile)
    before = w.kernel.cages[1]
    assert w.do("kill", 1, signo) == 0
    assert w.kernel.cages[1] == before
    assert not signals.interrupts(w.kernel, 1)


def test_blocked_and_default_ignored():
    """SIG-3: what is blocked is kept, so that a handler installed later gets it; the recorded one drops it."""
    for profile, pending in (("spec", (17,)), ("lind", ())):
        w = World(profile)
        mask(w, 0, of(17))
        w.do("kill", 1, 17)
        assert w.kernel.cages[1].pending == pending
        assert not signals.interrupts(w.kernel, 1)
    w = World()
    mask(w, 0, of(17))
    w.do("kill", 1, 17)
    mask(w, 1, of(17))
    assert not signals.interrupts(w.kernel, 1)
    assert signals.next_delivery(w.kernel, 1) is None
    assert w.kernel.cages[1].pending == ()


@BOTH
def test_handler(profile):
    """SIG-7, SIG-11: mask inside a handler, and after; vectors sig.mask.in_handler and change_in_handler."""
    w = World(profile)
    act(w, 10, 9, mask=of(15))
    w.do("kill", 1, 10)
    delivery = signals.next_delivery(w.kernel, 1)
    assert (delivery.action, delivery.handler, delivery.saved_mask) == (Action.HANDLER, 9, 0)
    assert mask(w) == of(10, 15)
    mask(w, 0, of(12))
    signals.handler_returned(w.kernel, 1, delivery.saved_mask)
    assert mask(w) == 0


@BOTH
def test_nodefer_and_resethand(profile):
    """SIG-7: SA_NODEFER leaves the mask, SA_RESETHAND makes the next one default."""
    w = World(profile)
    act(w, 10, 9, flags=NODEFER)
    w.do("kill", 1, 10)
    assert signals.next_delivery(w.kernel, 1).handler == 9
    assert mask(w) == 0
    act(w, 12, 8, flags=RESETHAND)
    w.do("kill", 1, 12)
    first = signals.next_delivery(w.kernel, 1)
    assert first.action is Action.HANDLER
    signals.handler_returned(w.kernel, 1, first.saved_mask)
    w.do("kill", 1, 12)
    assert signals.next_delivery(w.kernel, 1).action is Action.TERMINATE


def test_merging_and_queueing():
    """SIG-2, SIG-QUEUE: vector sig.mask.queue; property 46."""
    for profile, count in (("spec", 1), ("lind", 3)):
        w = World(profile)
        act(w, 10, 9)
        mask(w, 0, of(10))
        for _ in range(3):
            w.do("kill", 1, 10)
        runner = Runner(w)
        runner.deliver()
        assert runner.log == []
        mask(w, 1, of(10))
        runner.deliver()
        assert runner.log == [10, -10] * count


@BOTH
def test_order_of_bodies(profile):
    """SIG-7: vector sig.mask.order; property 48."""
    w = World(profile)
    act(w, 10, 9)
    act(w, 12, 9)
    mask(w, 0, of(10, 12))
    w.do("kill", 1, 10)
    w.do("kill", 1, 12)
    mask(w, 1, of(10, 12))
    runner = Runner(w)
    runner.deliver()
    assert runner.log == [12, -12, 10, -10]
    act(w, 10, 9, mask=of(12))
    w.do("kill", 1, 10)
    w.do("kill", 1, 12)
    runner = Runner(w)
    runner.deliver()
    assert runner.log == [10, -10, 12, -12]


def test_recorded_queue():
    """SIG-QUEUE: 10, 12, 1, 10 queued while blocked ran 1, 12, 10, 10 (3i.md 10)."""
    w = World("lind")
    for signo in (1, 10, 12):
        act(w, signo, 9)
    mask(w, 0, of(1, 10, 12))
    for signo in (10, 12, 1, 10):
        w.do("kill", 1, signo)
    mask(w, 1, of(1, 10, 12))
    runner = Runner(w)
    runner.deliver()
    assert runner.log == [1, -1, 12, -12, 10, -10, 10, -10]


def test_which_first_is_a_choice():
    """SIG-6: lowest number first by default, SIGKILL before all."""
    w = World()
    for signo in (1, 10, 12):
        act(w, signo, signo + 100)
    mask(w, 0, of(1, 10, 12))
    for signo in (12, 1, 10):
        w.do("kill", 1, signo)
    mask(w, 1, of(1, 10, 12))
    w.asked.clear()
    w.answers = [2, 1]
    taken = [signals.next_delivery(w.kernel, 1).signo for _ in range(3)]
    assert taken == [12, 10, 1]
    assert w.asked == [(ChoiceKind.SIGNAL, 3), (ChoiceKind.SIGNAL, 2)]
    w.do("kill", 1, 15)
    w.do("kill", 1, 9)
    assert signals.next_delivery(w.kernel, 1).signo == 9


def test_kill_cannot_be_blocked():
    """SIG-5, SIG-KILL-MASK: SIGKILL and SIGSTOP neither blocked nor caught."""
    for profile in ("spec", "lind"):
        w = World(profile)
        child = w.fork()
        everything = (1 << 64) - 1
        mask(w, 2, everything, cage=child)
        w.do("kill", child, 9)
        delivery = signals.next_delivery(w.kernel, child)
        assert (delivery is not None) is (profile == "spec")
        assert mask(w, cage=child) == (everything & ~of(9, 19) if profile == "spec" else everything)
        for signo in (9, 19):
            w.put(1, 0x300, SIGACTION.pack(sa_handler=1))
            assert w.do("rt_sigaction", signo, w.ptr(0x300), 0) == -22
            assert w.do("rt_sigaction", signo, 0, w.ptr(0x300)) == 0


def test_ignored():
    """SIG-3, SIG-8, SIG-IGN-BLOCKS: vectors sig.eintr.ignored and ignored_then_handled."""
    for profile in ("spec", "lind"):
        w = World(profile)
        act(w, 10, 1)
        w.do("kill", 1, 10)
        assert signals.interrupts(w.kernel, 1) is (profile == "lind")
        assert signals.next_delivery(w.kernel, 1) is None
        act(w, 10, 9)
        w.do("kill", 1, 10)
        runner = Runner(w)
        runner.deliver()
        assert runner.log == ([10, -10] if profile == "spec" else [])
        assert mask(w) == (0 if profile == "spec" else of(10))


def test_ignoring_discards_what_is_pending():
    """SIG-3: POSIX sigaction."""
    w = World()
    mask(w, 0, of(10))
    w.do("kill", 1, 10)
    act(w, 10, 1)
    assert w.kernel.cages[1].pending == ()


def test_default_fault():
    """SIG-DEFAULT-FAULT: a handled SIGCHLD goes back to default while pending."""
    for profile in ("spec", "lind"):
        w = World(profile)
        act(w, 17, 9)
        mask(w, 0, of(17))
        w.do("kill", 1, 17)
        act(w, 17, 0)
        mask(w, 1, of(17))
        delivery = signals.next_delivery(w.kernel, 1)
        assert (delivery is None) if profile == "spec" else (delivery.action is Action.FAULT)


def test_restart():
    """SIG-9, SIG-NO-RESTART."""
    for profile in ("spec", "lind"):
        w = World(profile)
        act(w, 10, 9, flags=RESTART)
        act(w, 12, 9)
        for signo, expected in ((10, profile == "spec"), (12, False)):
            w.do("kill", 1, signo)
            assert signals.next_delivery(w.kernel, 1).restart is expected


def test_stop_and_continue():
    """SIG-4, WAIT-5: stop, tell the parent, go on; SIG-NO-STOP."""
    for signo in STOPPING:
        w = World()
        act(w, 17, 9)
        child = w.fork()
        assert w.do("wait4", -1, w.ptr(0x200), 3) == 0
        w.do("kill", child, signo)
        assert not signals.interrupts(w.kernel, child)
        assert signals.next_delivery(w.kernel, child).action is Action.STOP
        assert w.kernel.cages[child].stopped
        assert w.kernel.cages[1].pending == (17,)
        assert WaitKey(Key.CHILDREN, 1) in w.kernel.changed()
        assert w.do("wait4", -1, w.ptr(0x200), 1) == 0  # not asked for stops
        assert w.do("wait4", -1, w.ptr(0x200), 3) == child
        assert w.word(0x200) == signo << 8 | 0x7F
        assert w.do("wait4", -1, w.ptr(0x200), 3) == 0  # told once
        w.do("kill", child, 10)
        assert signals.next_delivery(w.kernel, child) is None  # stopped: nothing is taken
        assert signals.next_delivery(w.kernel, 1).signo == 17
        w.do("kill", child, 18)
        assert not w.kernel.cages[child].stopped
        assert w.kernel.cages[1].pending == (17,)  # told of this as well
        assert w.do("wait4", child, w.ptr(0x200), 9) == child
        assert w.word(0x200) == 0xFFFF
        assert signals.next_delivery(w.kernel, child).signo == 10
        w = World("lind")
        w.do("kill", 1, signo)
        assert signals.next_delivery(w.kernel, 1) is None
        assert not w.kernel.cages[1].stopped


def test_stop_and_continue_cancel():
    """SIG-4: the sending of one takes away the other; SA_NOCLDSTOP; SIGKILL ends a stopped cage."""
    w = World()
    act(w, 17, 9, flags=NOCLDSTOP)
    child = w.fork()
    mask(w, 0, of(18, 20), cage=child)
    w.do("kill", child, 20)
    w.do("kill", child, 18)
    assert 20 not in w.kernel.cages[child].pending
    w.do("kill", child, 20)
    assert 18 not in w.kernel.cages[child].pending
    w.do("kill", child, 19)
    assert signals.next_delivery(w.kernel, child).action is Action.STOP
    assert w.kernel.cages[1].pending == ()
    w.do("kill", child, 9)
    assert signals.next_delivery(w.kernel, child).action is Action.TERMINATE


@BOTH
def test_exec(profile):
    """SIG-13, EXEC-SIGNALS; property 43."""
    w = World(profile)
    act(w, 10, 9)
    act(w, 12, 1)
    mask(w, 2, of(15))
    w.do("kill", 1, 15)
    processes.execed(w.kernel, 1, ())
    cage = w.kernel.cages[1]
    assert cage.pending == (15,)
    if profile == "spec":
        assert (list(cage.actions), cage.mask) == ([12], of(15))
    else:
        assert (list(cage.actions), cage.mask) == ([], 0)
        assert signals.next_delivery(w.kernel, 1).action is Action.TERMINATE


@BOTH
def test_main_thread_takes_signals(profile):
    """SIG-1: when it ends, another does."""
    w = World(profile)
    w.thread()
    w.thread()
    assert not processes.thread_gone(w.kernel, 1, 1)
    assert w.kernel.cages[1].main_thread == 2
    assert WaitKey(Key.SIGNAL, 1) in w.kernel.changed()
    assert not processes.thread_gone(w.kernel, 1, 3)
    assert processes.thread_gone(w.kernel, 1, 2)


def test_broken_pipe():
    """SIG-14, SIGPIPE-WRITE."""
    for profile in ("spec", "lind"):
        w = World(profile)
        signals.broken_pipe(w.kernel, 1, by_write=False)
        assert w.kernel.cages[1].pending == ((13,) if profile == "spec" else ())
        signals.broken_pipe(w.kernel, 1, by_write=True)
        assert w.kernel.cages[1].pending == (13,)


# Calls.


def test_sigaction_reports():
    """SIG-15: vectors sig.action.query_* and roundtrip."""
    w = World("lind")
    for signo in (0, 1, 9, 64, 65, -1):
        w.put(1, 0x300, b"\xee" * 24)
        assert w.do("rt_sigaction", signo, 0, w.ptr(0x300)) == 0
        assert w.get(1, 0x300, 24).hex() == "00000000eeeeeeee000000000000000000000000eeeeeeee"
    w = World()
    for signo, answer in ((0, -22), (65, -22), (-1, -22), (1, 0), (64, 0)):
        assert w.do("rt_sigaction", signo, 0, w.ptr(0x300)) == answer
    for profile in ("spec", "lind"):
        w = World(profile)
        act(w, 10, 1, flags=RESTART, mask=0x1234)
        assert w.do("rt_sigaction", 10, 0, w.ptr(0x340)) == 0
        assert w.get(1, 0x340, 24).hex() == "010000000000000034120000000000000000001000000000"
        assert w.do("rt_sigaction", 10, 0, 0) == 0


def test_sigaction_failing_writes():
    """SIGACTION-UNCHECKED: vector sig.action.set_9; in spec nothing is written."""
    for profile, written in (("spec", False), ("lind", True)):
        w = World(profile)
        w.put(1, 0x300, SIGACTION.pack(sa_handler=1))
        w.put(1, 0x340, b"\xee" * 24)
        assert w.do("rt_sigaction", 9, w.ptr(0x300), w.ptr(0x340)) == -22
        assert (w.get(1, 0x340, 24) != b"\xee" * 24) is written


def test_sigprocmask_failing():
    """SIG-16, SIGPROCMASK-OLD-FIRST: vectors sig.mask.how_*."""
    for profile, old in (("spec", 0), ("lind", 1536)):
        for how in (3, -1):
            w = World(profile)
            mask(w, 2, 1536)
            w.put(1, 0x400, (3072).to_bytes(8, "little"))
            w.put(1, 0x408, bytes(8))
            assert w.do("rt_sigprocmask", how, w.ptr(0x400), w.ptr(0x408)) == -22
            assert w.word(0x408, size=8) == old
            assert w.do("rt_sigprocmask", how, 0, w.ptr(0x408)) == 0
            assert w.word(0x408, size=8) == 1536


@BOTH
def test_sigprocmask(profile):
    """SIG-16: vector sig.mask.how_1 and high."""
    w = World(profile)
    mask(w, 2, 1536)
    assert mask(w, 1, 3072) == 1536
    assert mask(w) == 512
    mask(w, 2, 1 << 40)
    assert mask(w) == 1 << 40


@BOTH
def test_sigsuspend(profile):
    """SIG-17: vector sig.suspend.basic."""
    w = World(profile)
    act(w, 10, 9)
    mask(w, 2, of(10))
    w.put(1, 0x400, of(12).to_bytes(8, "little"))
    call = w.make("rt_sigsuspend", w.ptr(0x400), w.ptr(0x408))
    first = w.kernel.call(call)
    assert first == Wait((WaitKey(Key.SIGNAL, 1),), None, True, "for a signal")
    assert w.word(0x408, size=8) == of(10)
    assert mask(w) == of(12)
    w.kernel.changed()
    assert w.kernel.call(retry(call, True)) == first  # woken for nothing
    w.do("kill", 1, 10)
    assert WaitKey(Key.SIGNAL, 1) in w.kernel.changed()
    assert signals.interrupts(w.kernel, 1)
    result = w.kernel.call(retry(call, True, interrupted=True))
    assert (result.value, result.restart) == (-4, False)
    assert mask(w) == of(12)  # the caller puts the old one back
    mask(w, 2, of(10))
    assert w.do("rt_sigsuspend", w.ptr(0x400), 0) == -4  # pending already


def test_recorded_trigger():
    """SIG-8, deviation SIG-TRIGGER: what sets it, what takes it back, and what leaves it standing."""
    w = World("lind")
    act(w, 10, 9)
    mask(w, 0, of(10))
    w.do("kill", 1, 10)
    assert not signals.interrupts(w.kernel, 1)
    signals.set_mask(w.kernel, 1, 0)  # as ppoll does
    assert not signals.interrupts(w.kernel, 1)
    signals.set_mask(w.kernel, 1, of(10))
    mask(w, 1, of(10))
    assert signals.interrupts(w.kernel, 1)
    runner = Runner(w)
    runner.deliver()
    assert runner.log == [10, -10] and not signals.interrupts(w.kernel, 1)
    w.do("kill", 1, 10)
    mask(w, 0, of(10))
    runner.deliver()  # nothing can be
    assert runner.log == [10, -10] and signals.interrupts(w.kernel, 1)


@BOTH
def test_kill_errors(profile):
    """SIG-18, KILL-STRICT: vectors sig.kill.*."""
    w = World(profile)
    strict = profile == "lind"
    assert w.do("kill", 999, 15) == -3
    assert w.do("kill", 0, 32) == -22
    assert w.do("kill", 0, 64) == -22
    assert w.do("kill", 0, -1) == -22
    assert w.do("kill", 1, 0) == (-22 if strict else 0)
    assert w.do("kill", 999, 0) == (-22 if strict else -3)
    assert w.do("kill", -1, 15) == (-22 if strict else -3)  # nobody else
    assert w.do("kill", -5, 15) == (-22 if strict else -3)
    child = w.fork()
    w.exit(child)
    assert w.do("kill", child, 10) == (-3 if strict else 0)
    assert w.do("wait4", child, 0, 0) == child
    assert w.do("kill", child, 10) == -3


def test_kill_all_others():
    """SIG-18."""
    w = World()
    children = [w.fork(), w.fork()]
    assert w.do("kill", -1, 10) == 0
    assert [w.kernel.cages[c].pending for c in (1, *children)] == [(), (10,), (10,)]
    assert w.do("kill", 0, 12) == 0
    assert w.kernel.cages[1].pending == (12,)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("kill"), st.sampled_from([1, 10, 12, 17, 23])),
        st.tuples(st.just("block"), st.sampled_from([of(1), of(10), of(10, 12), of(17)])),
        st.tuples(st.just("unblock"), st.sampled_from([of(1), of(10), of(10, 12), of(17)])),
        st.tuples(st.just("deliver"), st.just(0)),
        st.tuples(st.just("act"), st.tuples(st.sampled_from([1, 10, 12, 17]), st.sampled_from([2, 3]))),
    ),
    max_size=30,
)


@given(EVENTS, st.sampled_from(["spec", "lind"]))
def test_mask_laws(events, profile):
    """Properties 45 to 47: the mask is what was set; what is blocked is not delivered; with handlers everywhere, as
    many bodies run as signals were sent (lind), or none lost and none doubled while pending (spec)."""
    w = World(profile)
    for signo in (1, 10, 12, 17):
        act(w, signo, 2)
    runner = Runner(w)
    expected_mask = 0
    pending: list[int] = []
    delivered: list[int] = []
    for what, value in [*events, ("unblock", of(1, 10, 12, 17)), ("deliver", 0)]:
        if what == "kill":
            w.do("kill", 1, value)
            if value != 23 and (profile == "lind" or value not in pending):
                pending.append(value)
        elif what == "block":
            mask(w, 0, value)
            expected_mask |= value
        elif what == "unblock":
            mask(w, 1, value)
            expected_mask &= ~value
        elif what == "act":
            act(w, *value)
        else:
            runner.deliver()
            delivered += [signo for signo in pending if not expected_mask & signals.bit(signo)]
            pending = [signo for signo in pending if expected_mask & signals.bit(signo)]
        cage = w.kernel.cages[1]
        assert cage.mask == expected_mask
        assert list(cage.pending) == pending
        wanted = any(not expected_mask & signals.bit(n) for n in pending)
        assert signals.interrupts(w.kernel, 1) >= wanted
        assert profile == "lind" or signals.interrupts(w.kernel, 1) == wanted  # SIG-TRIGGER
    assert sorted(n for n in runner.log if n > 0) == sorted(delivered)
    assert not pending


@BOTH
def test_sending_to_nobody(profile):
    w = World(profile)
    assert signals.send(w.kernel, 77, 9) is False
    assert signals.interrupts(w.kernel, 77) is False
    signals.handler_returned(w.kernel, 77, 0)
    assert w.call("getpid") == Done(1)
