"""Fork, exit, wait: rules CAGE-2, FORK-1 to FORK-5, EXIT-1 to EXIT-8, WAIT-1 to WAIT-7."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from world import World

from lindref.posix import processes, signals
from lindref.posix.call import retry
from lindref.posix.kernel import ChoiceKind, IdKind
from lindref.posix.result import Done, Fork, GroupEnd, Key, RuntimeFault, ThreadEnd, Wait, WaitKey
from lindref.posix.structs import CLONE_ARGS, SIGACTION, TIMEVAL
from lindref.posix.table import thaw
from lindref.state.codec import decode, encode, same

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
WNOHANG = 1


def wait(w: World, pid: int = -1, options: int = 0, cage: int = 1) -> tuple[int, int]:
    """wait4; the result and the status."""
    w.put(cage, 0x200, b"\xee" * 4)
    value = w.do("wait4", pid, w.ptr(0x200, cage), options, cage=cage)
    return value, w.word(0x200, cage)


def act(w: World, signo: int, handler: int, flags: int = 0, mask: int = 0, cage: int = 1) -> None:
    w.put(cage, 0x300, SIGACTION.pack(sa_handler=handler, sa_flags=flags, sa_mask=mask))
    assert w.do("rt_sigaction", signo, w.ptr(0x300, cage), 0, cage=cage) == 0


@BOTH
def test_boot(profile):
    """CAGE-2."""
    w = World(profile)
    assert w.do("getpid") == 1
    assert w.do("getppid") == 1
    assert w.kernel.cages[1].threads == (1,)


@BOTH
def test_ids_count_up(profile):
    """FORK-2; property 37: never reused."""
    w = World(profile)
    assert w.fork() == 2
    w.exit(2)
    assert wait(w) == (2, 0)
    assert w.fork() == 3
    assert w.fork(3) == 4
    assert w.do("getppid", cage=4) == 3
    assert w.fork() == 5


@BOTH
def test_what_a_child_gets(profile):
    """FORK-3, FORK-4, SIG-12; properties 43 and 44."""
    w = World(profile)
    act(w, 10, 7, flags=1, mask=2)
    signals.set_mask(w.kernel, 1, 1 << 9)
    assert w.do("kill", 1, 10) == 0
    w.put(1, 0x400, TIMEVAL.pack(tv_sec=0) + TIMEVAL.pack(tv_sec=5))
    assert w.do("setitimer", 0, w.ptr(0x400), 0) == 0
    assert w.thread() is not None
    old = w.kernel.cages[1]
    number = w.fork()
    child = w.kernel.cages[number]
    assert child.actions == old.actions
    assert child.mask == (0 if profile == "lind" else 1 << 9)  # FORK-MASK
    assert child.pending == ()
    assert not any(timer.expires for timer in child.timers.values())
    assert (child.threads, child.main_thread, child.next_thread) == ((1,), 1, 2)
    assert child.zombies == ()
    assert child.children == 0
    assert (child.cwd, child.brk, child.heap_start, child.vmmap) == (old.cwd, old.brk, old.heap_start, old.vmmap)
    assert child.fds == old.fds
    assert w.kernel.cages[1].children == 1
    w.do("close", 0, cage=child.id)
    assert 0 in w.kernel.cages[1].fds


@BOTH
def test_bad_clone_arguments(profile):
    """FORK-1."""
    w = World(profile)
    assert w.do("clone", 0) == -14
    assert w.do("clone", w.ptr(0xF0000000)) == -14


def test_fork_exhausted():
    """FORK-2 and FORK-EXHAUSTED: ids end at 2047."""
    for profile in ("spec", "lind"):
        w = World(profile)
        w.kernel.counters = w.kernel.counters.set(IdKind.CAGE, 2046)
        assert w.fork() == 2047
        w.put(1, 0x80, CLONE_ARGS.pack())
        result = w.call("clone", w.ptr(0x80), 1)
        if profile == "spec":
            assert result == Done(-11, failures=result.failures)
        else:
            assert isinstance(result, RuntimeFault)


def test_fork_in_a_thread():
    """FORK-5 and FORK-THREAD."""
    for profile in ("spec", "lind"):
        w = World(profile)
        w.thread()
        w.put(1, 0x80, CLONE_ARGS.pack())
        result = w.call("clone", w.ptr(0x80), 2)
        assert isinstance(result, Fork)
        assert result.runs is (profile == "spec")


@BOTH
@pytest.mark.parametrize("code", [0, 1, 42, 127, 128, 255, 256, 257, -1, -128, 65539])
def test_exit_codes(profile, code):
    """EXIT-2, EXIT-3; property 40."""
    w = World(profile)
    child = w.fork()
    assert w.exit(child, code) == (code & 0xFF) << 8
    assert wait(w) == (child, (code & 0xFF) << 8)


def test_exit_of_the_last_thread():
    """EXIT-4 and EXIT-THREAD-CODE: vectors proc.exit.60_*."""
    for profile, of_child in (("spec", 7 << 8), ("lind", 0)):
        w = World(profile)
        child = w.fork()
        assert w.call("exit", 7, 1, cage=child) == ThreadEnd(child, 1, 7)
        assert w.finish(child) == of_child
        assert wait(w) == (child, of_child)
        assert w.call("exit", 7, 1) == ThreadEnd(1, 1, 7)
        assert w.finish(1) == 7 << 8


@BOTH
def test_first_exit_group_wins(profile):
    """EXIT-2; property 41: also over a signal and a trap that come later."""
    w = World(profile)
    child = w.fork()
    assert w.call("exit_group", 3, cage=child) == GroupEnd(child)
    assert w.call("exit_group", 4, cage=child) == GroupEnd(child)
    processes.trapped(w.kernel, child)
    assert w.do("kill", child, 9) == 0
    assert signals.next_delivery(w.kernel, child) is None
    assert w.finish(child) == 3 << 8


@BOTH
def test_trap(profile):
    """EXIT-5: as if exited with 1."""
    w = World(profile)
    child = w.fork()
    processes.trapped(w.kernel, child)
    assert w.finish(child) == 0x100
    assert wait(w) == (child, 0x100)


@BOTH
def test_wait_without_children(profile):
    """WAIT-2: vector proc.wait.none."""
    w = World(profile)
    for pid, options in ((-1, 0), (-1, WNOHANG), (5, 0), (0, 0)):
        assert w.do("wait4", pid, w.ptr(0x200), options) == -10


@BOTH
def test_wait_order_and_once(profile):
    """WAIT-3, WAIT-4; property 39: in the order they ended, each once."""
    w = World(profile)
    a, b, c = w.fork(), w.fork(), w.fork()
    for child, code in ((b, 2), (c, 3), (a, 1)):
        w.exit(child, code)
    assert wait(w, c) == (c, 0x300)
    assert wait(w, 0) == (b, 0x200)
    assert wait(w, -1 if profile == "spec" else -7) == (a, 0x100)
    assert w.do("wait4", -1, 0, 0) == -10


@BOTH
def test_wait_null_status(profile):
    """WAIT-4."""
    w = World(profile)
    child = w.fork()
    w.exit(child, 9)
    assert w.do("wait4", -1, 0, 0) == child


def test_wait_bad_status():
    """WAIT-1: the zombie stays; PTR-CRASH in the recorded one."""
    w = World()
    child = w.fork()
    w.exit(child)
    assert w.do("wait4", -1, w.ptr(0xF0000000), 0) == -14
    assert wait(w)[0] == child
    w = World("lind")
    w.exit(w.fork())
    fault = w.call("wait4", -1, w.ptr(0xF0000000), 0)
    assert isinstance(fault, RuntimeFault)
    assert fault.code == -11


@BOTH
def test_wait_choice(profile):
    """WAIT-3, WAIT-FIFO: which of several zombies is a choice, oldest first by default."""
    w = World(profile)
    a, b = w.fork(), w.fork()
    w.exit(a)
    w.exit(b)
    w.answers = [1]
    assert wait(w)[0] == (b if profile == "spec" else a)
    assert w.asked == ([(ChoiceKind.ZOMBIE, 2)] if profile == "spec" else [])


@BOTH
def test_wait_blocks_and_wakes(profile):
    """WAIT-6: waits on the children; a zombie wins over a signal."""
    w = World(profile)
    child = w.fork()
    call = w.make("wait4", -1, w.ptr(0x200), 0)
    first = w.kernel.call(call)
    assert first == Wait((WaitKey(Key.CHILDREN, 1),), None, True, "for a child")
    interrupted = w.kernel.call(retry(call, first.memo, interrupted=True))
    assert (interrupted.value, interrupted.restart) == (-4, True)
    w.kernel.changed()
    w.exit(child, 5)
    assert WaitKey(Key.CHILDREN, 1) in w.kernel.changed()
    assert w.kernel.call(retry(call, first.memo, interrupted=True)) == Done(child)
    assert w.word(0x200) == 0x500


def test_wait_nohang():
    """WAIT-7 and WAIT-PID-BLOCKS: vector proc.wait.nohang_pid."""
    for profile in ("spec", "lind"):
        w = World(profile)
        child = w.fork()
        assert w.do("wait4", -1, 0, WNOHANG) == 0
        assert w.do("wait4", 0, 0, WNOHANG) == 0
        result = w.call("wait4", child, 0, WNOHANG)
        if profile == "spec":
            assert result == Done(0)
        else:
            assert isinstance(result, Wait)
            assert not result.interruptible


def test_wait_for_a_group():
    """WAIT-2, WAIT-GROUP: vector proc.wait.pid_m999; each cage is a group of its own."""
    for profile in ("spec", "lind"):
        w = World(profile)
        a, b = w.fork(), w.fork()
        w.exit(a, 1)
        w.exit(b, 2)
        assert w.do("wait4", -999, 0, WNOHANG) == (-10 if profile == "spec" else a)
        assert w.do("wait4", -b, 0, 0) == b
        assert w.do("wait4", -b, 0, 0) == -10
        assert w.do("wait4", 0, 0, WNOHANG) == (a if profile == "spec" else -10)


def test_wait_for_others():
    """WAIT-2: vector proc.wait.not_child; in the recorded one cage 1 is its own child and waits for ever."""
    for profile in ("spec", "lind"):
        w = World(profile)
        child = w.fork()
        grandchild = w.fork(child)
        assert w.do("wait4", grandchild, 0, 0) == -10
        assert w.do("wait4", 999, 0, 0) == -10
        own = w.call("wait4", 1, 0, 0)
        assert own.value == -10 if profile == "spec" else isinstance(own, Wait)


def test_wait_options():
    """WAIT-1 and WAIT-OPTIONS: vector proc.wait.options."""
    for profile, bad in (("spec", -22), ("lind", -10)):
        w = World(profile)
        w.exit(w.fork(), 4)
        assert wait(w, -1, 10) == (2, 0x400)
        assert w.do("wait4", -1, 0, 256) == bad
        assert w.do("wait4", -1, 0, 64) == bad
        assert w.do("wait4", -1, 0, 0x40000000) == -10  # __WALL


def test_orphans():
    """EXIT-7 and NO-REPARENT: vector proc.ids.orphan."""
    for profile, parent in (("spec", 1), ("lind", 2)):
        w = World(profile)
        child = w.fork()
        grandchild = w.fork(child)
        w.exit(child)
        assert wait(w)[0] == child
        assert w.do("getppid", cage=grandchild) == parent
        assert w.do("wait4", -1, 0, WNOHANG) == -10  # nobody waits for it
        w.exit(grandchild)
        assert w.do("wait4", -1, 0, 0) == -10
        assert w.kernel.cages[1].pending == ()


@BOTH
def test_sigchld(profile):
    """EXIT-6: sent after the zombie is there."""
    w = World(profile)
    act(w, 17, 5)
    child = w.fork()
    w.exit(child)
    assert w.kernel.cages[1].pending == (17,)
    assert wait(w)[0] == child


def test_auto_reap():
    """EXIT-6 and NO-AUTO-REAP: vector sig.action.chld_ign."""
    for handler, flags in ((1, 0), (5, 2)):
        for profile in ("spec", "lind"):
            w = World(profile)
            act(w, 17, handler, flags)
            child = w.fork()
            other = w.fork()
            w.exit(child)
            assert w.do("wait4", child, 0, 0) == (-10 if profile == "spec" else child)
            assert w.do("wait4", -1, 0, WNOHANG) == 0  # the other lives
            w.exit(other)


@BOTH
def test_state_round_trip(profile):
    """A frozen kernel is a value: the same bytes after a round, and it goes on as the other does."""
    w = World(profile)
    child = w.fork()
    w.fork(child)
    w.do("mmap", 0, 8192, 3, 0x21, -1, 0)
    w.exit(child, 3)
    state = w.kernel.freeze()
    again = decode(encode(state))
    assert same(state, again)
    other = thaw(w, again)
    assert other.call(w.make("wait4", -1, 0, 0)) == Done(child)
    assert same(w.kernel.freeze(), state)
    assert w.do("wait4", -1, 0, 0) == child
    assert same(w.kernel.freeze(), other.freeze())


class Family(RuleBasedStateMachine):
    """Fork, exit and wait against a naive family (WAIT-2 to WAIT-4, EXIT-6, EXIT-7); properties 37 to 39."""

    def __init__(self) -> None:
        super().__init__()
        self.w = World(self.profile)
        self.alive = {1: 1}  # id -> parent; 0: nobody waits
        self.ended: dict[int, list[tuple[int, int]]] = {1: []}
        self.last = 1

    profile = "spec"

    @rule(who=st.integers(0, 1000))
    @precondition(lambda self: len(self.alive) < 8)
    def fork(self, who: int) -> None:
        parent = sorted(self.alive)[who % len(self.alive)]
        child = self.w.fork(parent)
        assert child == self.last + 1
        self.last = child
        self.alive[child] = parent
        self.ended[child] = []

    @rule(who=st.integers(0, 1000), code=st.integers(0, 300), signo=st.sampled_from([0, 9, 15]))
    @precondition(lambda self: len(self.alive) > 1)
    def end(self, who: int, code: int, signo: int) -> None:
        others = sorted(set(self.alive) - {1})
        cage = others[who % len(others)]
        if signo:
            assert self.w.do("kill", cage, signo) == 0
            assert signals.next_delivery(self.w.kernel, cage).action is signals.Action.TERMINATE
            status = self.w.finish(cage)
            assert status == signo
        else:
            status = self.w.exit(cage, code)
        parent = self.alive.pop(cage)
        if parent in self.alive:
            self.ended[parent].append((cage, status))
        for child, of in self.alive.items():
            if of == cage:
                self.alive[child] = 0

    @rule(who=st.integers(0, 1000), pid=st.integers(-1, 12))
    def wait(self, who: int, pid: int) -> None:
        parent = sorted(self.alive)[who % len(self.alive)]
        mine = [cage for cage, of in self.alive.items() if of == parent and cage != 1]
        ready = [pair for pair in self.ended[parent] if pid <= 0 or pair[0] == pid]
        if self.profile == "lind" and not ready and pid > 0 and (pid in mine or (pid, parent) == (1, 1)):
            return  # waits whatever WNOHANG says
        got = wait(self.w, pid, WNOHANG, cage=parent)
        if ready:
            assert got == ready[0]
            self.ended[parent].remove(ready[0])
        elif pid in mine or (pid <= 0 and mine):
            assert got[0] == 0
        else:
            assert got[0] == -10

    @invariant()
    def bookkeeping(self) -> None:
        assert sorted(self.w.kernel.cages) == sorted(self.alive)
        for cage in self.w.kernel.cages.values():
            assert [(z.cage, z.status) for z in cage.zombies] == self.ended[cage.id]
            assert cage.children == sum(1 for child, of in self.alive.items() if of == cage.id and child != 1)


class FamilyAsRecorded(Family):
    profile = "lind"


TestFamily = Family.TestCase
TestFamily.settings = settings(stateful_step_count=25, max_examples=25)
TestFamilyAsRecorded = FamilyAsRecorded.TestCase
TestFamilyAsRecorded.settings = settings(stateful_step_count=25, max_examples=25)
