"""Signals and waits of a family of cages against a naive model: sets of pending signals, masks, stacks of handlers
(SIG-2, SIG-3, SIG-5 to SIG-8, SIG-11 to SIG-13, WAIT-2, EXIT-6).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from test_signals import NODEFER, RESETHAND, act, mask
from world import World

from lindref.posix import processes, signals
from lindref.posix.signals import Action

KILL, CHILD = 9, 17
SIGNALS = st.sampled_from([2, 10, 12, KILL, CHILD])
SETS = st.frozensets(SIGNALS, max_size=4)
FLAGS = st.sampled_from([0, NODEFER, RESETHAND])
WHICH = st.integers(0, 5)
NOHANG = 1


@dataclass
class Naive:
    """What a cage is in the model. An action is (handler, mask, flags): 0 default, 1 ignore, more a handler."""

    parent: int
    actions: dict[int, tuple[int, frozenset[int], int]] = field(default_factory=dict)
    mask: frozenset[int] = frozenset()
    pending: set[int] = field(default_factory=set)
    #: Masks to go back to, of the handlers that run.
    frames: list[frozenset[int]] = field(default_factory=list)
    ended: list[tuple[int, int]] = field(default_factory=list)

    def ignores(self, signo: int) -> bool:
        handler = self.actions.get(signo, (0,))[0]
        return handler == 1 or (handler == 0 and signo == CHILD)

    def send(self, signo: int) -> None:
        if not self.ignores(signo) or signo in self.mask:
            self.pending.add(signo)

    @property
    def ready(self) -> list[int]:
        """Signals that are delivered next, the first first."""
        free = self.pending - self.mask
        return sorted(free, key=lambda signo: (signo != KILL, signo))


def bits(numbers: frozenset[int]) -> int:
    return sum(signals.bit(signo) for signo in numbers)


class Family(RuleBasedStateMachine):
    """The kernel beside the model."""

    def __init__(self) -> None:
        super().__init__()
        self.w = World()
        self.cages = {1: Naive(0)}

    def pick(self, which: int) -> int:
        return sorted(self.cages)[which % len(self.cages)]

    @rule(which=WHICH, signo=SIGNALS, handler=st.integers(0, 3), also=SETS, flags=FLAGS)
    def action(self, which: int, signo: int, handler: int, also: frozenset[int], flags: int) -> None:
        cage = self.pick(which)
        if signo == KILL:
            return
        act(self.w, signo, handler, flags, bits(also), cage=cage)
        naive = self.cages[cage]
        naive.actions[signo] = (handler, also, flags)
        if naive.ignores(signo):
            naive.pending.discard(signo)

    @rule(which=WHICH, how=st.integers(0, 2), numbers=SETS)
    def change_mask(self, which: int, how: int, numbers: frozenset[int]) -> None:
        cage = self.pick(which)
        naive = self.cages[cage]
        assert mask(self.w, how, bits(numbers), cage=cage) == bits(naive.mask)
        new = (naive.mask | numbers, naive.mask - numbers, numbers)[how]
        naive.mask = new - {KILL}
        naive.pending -= {signo for signo in naive.ready if naive.ignores(signo)}

    @rule(sender=WHICH, which=WHICH, signo=SIGNALS)
    def kill(self, sender: int, which: int, signo: int) -> None:
        cage = self.pick(which)
        if cage == 1 and signo == KILL:
            return
        assert self.w.do("kill", cage, signo, cage=self.pick(sender)) == 0
        self.cages[cage].send(signo)

    @rule(which=WHICH)
    def deliver(self, which: int) -> None:
        cage = self.pick(which)
        naive = self.cages[cage]
        taken = [signo for signo in naive.ready if not naive.ignores(signo)]
        if cage == 1 and taken and not naive.actions.get(taken[0], (0,))[0]:
            return  # the first cage is to stay
        delivery = signals.next_delivery(self.w.kernel, cage)
        while naive.ready and naive.ignores(naive.ready[0]):
            naive.pending.discard(naive.ready[0])
        if not naive.ready:
            assert delivery is None
            return
        signo = naive.ready[0]
        assert delivery is not None
        assert delivery.signo == signo
        handler, also, flags = naive.actions.get(signo, (0, frozenset(), 0))
        naive.pending.discard(signo)
        if handler == 0:
            assert delivery.action is Action.TERMINATE
            self.gone(cage, signo)
            return
        assert delivery.action is Action.HANDLER
        naive.frames.append(naive.mask)
        own = frozenset() if flags & NODEFER else frozenset({signo})
        naive.mask = (naive.mask | also | own) - {KILL}
        if flags & RESETHAND:
            naive.actions[signo] = (0, also, flags)

    @rule(which=WHICH)
    def handler_returns(self, which: int) -> None:
        cage = self.pick(which)
        naive = self.cages[cage]
        if naive.frames:
            naive.mask = naive.frames.pop()
            signals.handler_returned(self.w.kernel, cage, bits(naive.mask))

    @precondition(lambda self: len(self.cages) < 5)
    @rule(which=WHICH)
    def fork(self, which: int) -> None:
        parent = self.pick(which)
        child = self.w.fork(parent)
        naive = self.cages[parent]
        self.cages[child] = replace(
            naive, parent=parent, actions=dict(naive.actions), pending=set(), frames=list(naive.frames), ended=[]
        )

    @rule(which=WHICH)
    def exec(self, which: int) -> None:
        cage = self.pick(which)
        processes.execed(self.w.kernel, cage, ())
        self.w.load(cage)
        naive = self.cages[cage]
        naive.frames.clear()
        naive.actions = {signo: (1, frozenset(), 0) for signo, what in naive.actions.items() if what[0] == 1}

    @precondition(lambda self: len(self.cages) > 1)
    @rule(which=WHICH, code=st.integers(0, 255))
    def leave(self, which: int, code: int) -> None:
        cage = sorted(self.cages)[1:][which % (len(self.cages) - 1)]
        result = self.w.call("exit_group", code, cage=cage)
        assert result is not None
        self.gone(cage, code << 8)

    def gone(self, cage: int, status: int) -> None:
        assert self.w.finish(cage) == status
        naive = self.cages.pop(cage)
        parent = self.cages.get(naive.parent)
        if parent is not None:
            if parent.actions.get(CHILD, (0,))[0] != 1:
                parent.ended.append((cage, status))
            parent.send(CHILD)
        for other in self.cages.values():
            if other.parent == cage:
                other.parent = 0

    @rule(which=WHICH, pid=st.integers(-1, 8))
    def wait(self, which: int, pid: int) -> None:
        cage = self.pick(which)
        naive = self.cages[cage]
        got = self.w.do("wait4", pid, self.w.ptr(0x400, cage), NOHANG, cage=cage)
        ready = [one for one in naive.ended if pid <= 0 or one[0] == pid]
        mine = [number for number, other in self.cages.items() if other.parent == cage and number != 1]
        if ready:
            assert (got, self.w.word(0x400, cage)) == ready[0]
            naive.ended.remove(ready[0])
        else:
            assert got == (0 if (mine if pid <= 0 else pid in mine) else -10)

    @invariant()
    def same(self) -> None:
        kernel = self.w.kernel
        assert set(kernel.cages) == set(self.cages)
        for number, naive in self.cages.items():
            cage = kernel.cages[number]
            assert set(cage.pending) == naive.pending, number
            assert len(cage.pending) == len(naive.pending)
            assert cage.mask == bits(naive.mask), number
            assert [(zombie.cage, zombie.status) for zombie in cage.zombies] == naive.ended
            waking = any(not naive.ignores(signo) for signo in naive.ready)
            assert bool(signals.interrupts(kernel, number)) == waking, number


TestFamily = Family.TestCase
