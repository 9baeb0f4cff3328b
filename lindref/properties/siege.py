"""A state machine in which an adversary tries to get out from under a grate, one drawn call at a time.

Cage 1 is the grate. It launches cage 2 with functions over some of its calls, and cage 3, a stranger. From its exec on
cage 2 is the adversary's, with all that is forked from it: its threads, and the functions with which it serves calls of
its own family, do whatever is drawn. ``siege_model.Siege`` says what must not come of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from lindref.posix.structs import CLONE_ARGS, IOVEC, TIMESPEC
from lindref.posix.structs import SIGACTION as SIGACTION_S
from lindref.profile import SPEC
from lindref.properties.driven import Besieged, LindrefDriven, Waiting
from lindref.properties.siege_model import CLONE, COPY_DATA, COPY_TABLE, PRLIMIT, REGISTER, Siege
from lindref.properties.strategies import registers
from lindref.properties.tables import DEREGISTER
from lindref.system.events import Event
from lindref.system.script_runner import AwaitStep, BecomeStep, CallStep, Given, Pointer, ReturnStep, StoreStep
from lindref.threei.numbers import BENEATH, UNUSED

READ, WRITE, SIGACTION, PIPE, WRITEV, GETPID, GETUID, GETGID, GETEUID = 0, 1, 13, 22, 20, 39, 102, 104, 107
SLEEP, EXIT, KILL, EXIT_GROUP = 35, 60, 62, 231
GRATE, FIRST, STRANGER = 1, 2, 3
_ANY = (1 << 64) - 1

#: Calls that the grate may be put over.
IMPOSABLE = (GETUID, GETGID, GETEUID, GETPID, READ, WRITE, PIPE, CLONE, KILL, PRLIMIT, REGISTER, COPY_DATA, COPY_TABLE)
#: Plain calls that the adversary makes.
_ASKS = (GETUID, GETGID, GETEUID, GETPID)
#: Calls that it serves itself: those of 3i name cages where others have owners.
_OWN = (*IMPOSABLE, REGISTER, REGISTER, COPY_TABLE, COPY_DATA, GETUID, GETUID)
_MOST_CAGES = 9
_ANSWERS = st.lists(st.integers(0, 4), min_size=2, max_size=8)
_KINDS = st.integers(0, 2)
_PIPE, _IOVEC, _FORK, _THREAD, _WORD = 640, 720, 64, 2048, 512


def _passes(number: int) -> tuple[Any, ...]:
    about_3i = number in (REGISTER, COPY_DATA, COPY_TABLE)
    return (CallStep(number, tuple(Given(i) for i in range(6)), target=0 if about_3i else Given(0)),)


#: The grate's functions: for each number one that passes on, one that refuses, one that answers.
FUNCTIONS: tuple[tuple[Any, ...], ...] = tuple(
    steps for number in IMPOSABLE for steps in (_passes(number), (ReturnStep(-13),), (ReturnStep(5),))
)
#: The adversary's: two wait to be told; the third is for signals.
WAITS = ((AwaitStep(),), (AwaitStep(),), (ReturnStep(0),))
_CHILD = CallStep(CLONE, (Pointer(_FORK),), child=(AwaitStep(),))


class SiegeMachine(RuleBasedStateMachine):
    """``implementation`` under siege."""

    implementation: ClassVar[Callable[[], Besieged]] = staticmethod(lambda: LindrefDriven(profile=SPEC))
    #: Whether pointers mean memory of whichever cage they lie in (deviation PTR-FLAT): then that is not judged.
    flat: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.real = type(self).implementation()
        self.siege = Siege(flat=type(self).flat)
        self.last = 1

    # Driving.

    def _turns(self, answers: list[int]) -> list[Event]:
        happened: list[Event] = []
        for answer in answers:
            if not self.siege.living and self.siege.begun:
                break
            events = self.real.turn(answer)
            for event in events:
                self.siege.happened(event)
            happened += events
            look = self.real.look(IMPOSABLE)
            self.last = max([self.last, *look.cages])
            for cage in look.cages:
                self.siege.bases.setdefault(cage, self.real.base(cage))
            if self.siege.begun:
                self.siege.compare(look)
        return happened

    def _does(self, who: Waiting, *steps: Any) -> None:
        if who.call:
            self.real.give_handler(who.call, steps)
        else:
            self.real.give(who.cage, who.tid, steps)

    def _until_free(self, cage: int) -> None:
        """Turns until the cage's main thread has done what it was given."""
        for _ in range(60):
            if any(w.cage == cage and not w.call for w in self.real.waiting()):
                return
            self._turns([0])

    def _idle(self, *, family: bool) -> list[Waiting]:
        wanted = self.siege.family if family else {GRATE}
        return [w for w in self.real.waiting() if w.cage in wanted]

    def _someone(self, data: Any) -> Waiting:
        """A thread or a function of the adversary's that has nothing to do: functions twice as likely."""
        idle = self._idle(family=True)
        serving = [w for w in idle if w.call]
        who: Waiting = data.draw(st.sampled_from(idle + serving + serving), "who")
        return who

    def _can(self) -> bool:
        return bool(self._idle(family=True))

    def _named(self, me: int = 0) -> st.SearchStrategy[int]:
        """Cages to name: the adversary's mostly, the grate, strangers, those to come, those beneath all grates."""
        ours = sorted(self.siege.family)
        others = [GRATE, STRANGER, self.last + 1, self.last + 2, 4242, *BENEATH]
        return st.one_of(st.just(me or FIRST), st.sampled_from(ours), st.sampled_from([*ours, *others]))

    def _place(self, data: Any) -> Any:
        """An address: one's own mostly, else in the memory of somebody."""
        cage = data.draw(st.sampled_from([0, 0, *self.siege.bases]), "memory")
        return Pointer(_WORD) if not cage else self.siege.bases[cage] + _WORD

    def _ids(self, data: Any, me: int) -> dict[str, Any]:
        """Self, target and owners: each oneself (0) more often than not."""
        named = self._named(me)
        who = st.one_of(st.just(0), named)
        caller, target = data.draw(who, "self"), data.draw(who, "target")
        if caller and data.draw(st.booleans(), "the same"):
            target = caller
        owner = data.draw(st.one_of(st.just(0), st.just(0), named), "owner")
        cages = (owner, owner) if owner else (target, target) if target and data.draw(st.booleans(), "its") else ()
        return {"caller": caller, "target": target, "cages": cages}

    # The beginning.

    @initialize(
        imposed=st.dictionaries(st.sampled_from(IMPOSABLE), _KINDS, min_size=1, max_size=3),
        tools=st.integers(0, 3),
        chain=st.booleans(),
    )
    def launch(self, imposed: dict[int, int], tools: int, chain: bool) -> None:
        """The grate, what it launches, and a stranger; cages that the adversary has forked already and that serve."""
        grate, first = Waiting(GRATE, 1), Waiting(FIRST, 1)
        self._does(grate, BecomeStep(FUNCTIONS), CallStep(PIPE, (Pointer(_PIPE),)), _CHILD)
        self._until_free(GRATE)
        self._does(grate, _CHILD)
        self._until_free(GRATE)
        self._does(Waiting(STRANGER, 1), BecomeStep())
        rows = [registers(FIRST, n, GRATE, self._function(n, kind), caller=GRATE) for n, kind in imposed.items()]
        self._does(first, *rows, BecomeStep(WAITS))
        self._until_free(FIRST)
        siege = self.siege
        siege.parents |= {FIRST: GRATE, STRANGER: GRATE}
        siege.family = {FIRST}
        siege.imposed = {FIRST: {n: (GRATE, self._function(n, kind)) for n, kind in imposed.items()}}
        siege.compare(self.real.look(IMPOSABLE))
        siege.begun = True
        maker = first
        for _ in range(tools):
            self._does(maker, _CHILD)
            self._until_free(maker.cage)
            maker = Waiting(self.last, 1) if chain and self.last in self.siege.family else first
        for who in self._idle(family=True):
            if who.cage != FIRST and not who.call:
                self._does(who, BecomeStep(WAITS))
        self._turns([0] * 4)

    @staticmethod
    def _function(number: int, kind: int) -> int:
        return 3 * IMPOSABLE.index(number) + kind

    # What the grate does meanwhile.

    @precondition(lambda self: bool(self._idle(family=False)))
    @rule(number=st.sampled_from(IMPOSABLE), kind=_KINDS, data=st.data(), answers=_ANSWERS)
    def impose(self, number: int, kind: int, data: Any, answers: list[int]) -> None:
        """The grate puts one more function over a cage of the adversary's that runs already."""
        cage = data.draw(st.sampled_from(sorted(self.siege.family & self.siege.living) or [FIRST]), "over")
        if any(number in rows for rows in self.siege.imposed.values()):
            return
        function = self._function(number, kind)
        self._does(Waiting(GRATE, 1), registers(cage, number, GRATE, function))
        happened = self._turns([0] * 12)
        if any(getattr(e, "result", None) == 0 and e.cage == GRATE for e in happened if e.kind == "exit"):
            row = self.real.look((number,)).tables.get(cage, {}).get(number)
            if row == (GRATE, function):
                self.siege.imposed[cage][number] = row
        self._turns(answers)

    @precondition(lambda self: bool(self._idle(family=False)) and self.last < _MOST_CAGES)
    @rule(answers=_ANSWERS)
    def stranger(self, answers: list[int]) -> None:
        """One more cage that is none of the adversary's: whatever was named before it was there."""
        self._does(Waiting(GRATE, 1), _CHILD)
        self._turns(answers)

    # What the adversary does.

    @precondition(_can)
    @rule(data=st.data(), number=st.sampled_from(IMPOSABLE), answers=_ANSWERS)
    def register(self, data: Any, number: int, answers: list[int]) -> None:
        """Any row for anybody, in anybody's name."""
        who = self._someone(data)
        named = self._named(who.cage)
        to = data.draw(st.one_of(named, st.sampled_from([GRATE, who.cage, DEREGISTER])), "handler")
        slot = st.sampled_from([0, 1, self._function(number, 0), self._function(number, 1)])
        caller = data.draw(st.one_of(st.just(0), named), "self")
        self._does(who, registers(data.draw(named, "cage"), number, to, data.draw(slot, "function"), caller))
        self._turns(answers)

    @precondition(_can)
    @rule(data=st.data(), answers=_ANSWERS)
    def table(self, data: Any, answers: list[int]) -> None:
        """A table over another."""
        who = self._someone(data)
        named = self._named(who.cage)
        source, target, caller = (data.draw(named, w) for w in ("source", "target", "self"))
        caller = data.draw(st.sampled_from([0, caller]))
        step = CallStep(
            COPY_TABLE, (source, *[UNUSED] * 5), cages=(target, caller, caller), caller=caller, target=caller
        )
        self._does(who, step)
        self._turns(answers)

    @precondition(_can)
    @rule(data=st.data(), answers=_ANSWERS)
    def copy(self, data: Any, answers: list[int]) -> None:
        """Data of anybody to anybody."""
        who = self._someone(data)
        one, other = data.draw(self._named(who.cage), "from"), data.draw(self._named(who.cage), "to")
        places = [self.siege.bases.get(cage, 1 << 44) + _WORD for cage in (one, other)]
        self._does(who, CallStep(COPY_DATA, (*places, 4, 0), cages=(one, other)))
        self._turns(answers)

    @precondition(_can)
    @rule(data=st.data(), number=st.sampled_from(_ASKS), answers=_ANSWERS)
    def ask(self, data: Any, number: int, answers: list[int]) -> None:
        """A plain call, for anybody."""
        who = self._someone(data)
        ids = self._ids(data, who.cage)
        args = (0, 0) if ids["cages"] else ()
        self._does(who, CallStep(number, args, **ids))
        self._turns(answers)

    @precondition(_can)
    @rule(data=st.data(), number=st.sampled_from([READ, READ, WRITE, WRITEV, PIPE, PRLIMIT]), answers=_ANSWERS)
    def touch(self, data: Any, number: int, answers: list[int]) -> None:
        """A call with pointers, into whose memory ever; a read of an empty pipe waits, and is tried again."""
        who = self._someone(data)
        place = self._place(data)
        before: tuple[Any, ...] = ()
        if number == WRITEV:
            base = self.siege.bases[who.cage] + _WORD if isinstance(place, Pointer) else place
            before = (StoreStep(_IOVEC, IOVEC.pack(iov_base=base, iov_len=2)),)
            args: tuple[Any, ...] = (1, Pointer(_IOVEC), 1)
        elif number == PRLIMIT:
            args = (data.draw(self._named(who.cage), "pid"), 7, Pointer(_WORD), 0)
        elif number == PIPE:
            args = (place,)
        else:
            args = (data.draw(st.sampled_from([1, 3, 3, 4, 4, 5, 6]), "descriptor"), place, 2)
        self._does(who, *before, CallStep(number, args, **self._ids(data, who.cage)))
        self._turns(answers)

    @precondition(lambda self: self._can() and self.last < _MOST_CAGES)
    @rule(data=st.data(), answers=_ANSWERS)
    def fork(self, data: Any, answers: list[int]) -> None:
        """One more cage."""
        self._does(self._someone(data), _CHILD)
        self._turns(answers)

    @precondition(_can)
    @rule(data=st.data(), answers=_ANSWERS)
    def thread(self, data: Any, answers: list[int]) -> None:
        """One more thread."""
        who = self._someone(data)
        threads = self.real.look(()).cages[who.cage].threads
        if not who.call and len(threads) < 3:
            base = self.siege.bases[who.cage]
            fields = {"flags": 0x100, "stack": 0x8000, "stack_size": 0x4000, "child_tid": base + 2304}
            clone = CallStep(CLONE, (Pointer(_THREAD),), child=(AwaitStep(),))
            self._does(who, StoreStep(_THREAD, CLONE_ARGS.pack(**fields)), clone)
            self._turns(answers)

    @precondition(_can)
    @rule(data=st.data(), answers=_ANSWERS)
    def become(self, data: Any, answers: list[int]) -> None:
        """Another program, which serves calls."""
        who = self._someone(data)
        if not who.call and len(self.real.look(()).cages[who.cage].threads) == 1:
            self._does(who, BecomeStep(WAITS))
            self._turns(answers)

    def _serving(self) -> list[Waiting]:
        return [w for w in self._idle(family=True) if w.call]

    @precondition(lambda self: bool(self._serving()))
    @rule(data=st.data(), answers=_ANSWERS)
    def lean(self, data: Any, answers: list[int]) -> None:
        """A function leans on the calls that it serves."""
        self._lean(data, answers)

    def _lean(self, data: Any, answers: list[int]) -> None:
        """On all that they name, and on those that passed them on."""
        who = data.draw(st.sampled_from(self._serving()), "who")
        number = data.draw(st.sampled_from([GETUID, WRITE, READ, COPY_DATA]), "call")
        named: set[int] = set()
        call = self.siege.calls.get(who.call)
        while call is not None:
            named |= {call.cage, call.target, *(owner for _, owner in call.args)}
            call = self.siege.calls.get(call.within)
        there = sorted(named & {*self.siege.bases})
        strangers = [cage for cage in there if cage not in self.siege.family]
        cage = data.draw(st.sampled_from(strangers or there), "whom")
        place = self.siege.bases.get(cage, 1 << 44) + _WORD
        if number == COPY_DATA:
            pairs = [(cage, place), (who.cage, self.siege.bases[who.cage] + _WORD)]
            (one, source), (other, dest) = data.draw(st.permutations(pairs), "from, to")
            step = CallStep(COPY_DATA, (source, dest, 4, 0), cages=(one, other))
        elif number == GETUID:
            step = CallStep(number, (), target=cage)
        else:
            owner = data.draw(st.sampled_from([0, cage]), "owner")
            step = CallStep(number, (1 if number == WRITE else 3, place, 1), cages=(0, owner) if owner else ())
        self._does(who, step)
        self._turns(answers)

    @precondition(_can)
    @rule(data=st.data(), number=st.sampled_from(_OWN), slot=st.integers(0, 1), answers=_ANSWERS)
    def own(self, data: Any, number: int, slot: int, answers: list[int]) -> None:
        """A function of one's own over one's own call, and the call: now it is in that function's hands."""
        who = self._someone(data)
        others = [c for c in sorted(self.siege.family & self.siege.living) if c != who.cage] or [who.cage]
        row = registers(who.cage, number, data.draw(st.sampled_from(others), "function"), slot)
        if number == REGISTER:
            last = data.draw(st.one_of(st.sampled_from([STRANGER, GRATE]), self._named(who.cage)), "number")
            call = CallStep(REGISTER, (who.cage, UNUSED, 0), cages=(last, who.cage, UNUSED))
        elif number in (COPY_DATA, COPY_TABLE):
            cages = (data.draw(self._named(), "first"), data.draw(self._named(), "second"))
            call = CallStep(number, (0, 0, 0, 0), cages=cages)
        elif number == CLONE:
            call = _CHILD
        else:
            call = CallStep(number, (0, 0) if number in _ASKS else (3, Pointer(_WORD), 2), **self._ids(data, who.cage))
        self._does(who, row, call)
        self._turns([*answers, 0, 0])
        for _ in range(2):
            if self._serving():
                self._lean(data, answers)

    @precondition(lambda self: self._can() and bool(self._idle(family=False)) and self.last < _MOST_CAGES)
    @rule(data=st.data(), ours=st.booleans(), answers=_ANSWERS)
    def ambush(self, data: Any, ours: bool, answers: list[int]) -> None:
        """A sleep that is to tell what was left of it, in the memory of a cage that comes to be while it sleeps; then a
        signal ends it."""
        who, coming = self._someone(data), self.last + 1
        if who.call or who.tid != 1:
            return
        acts = (StoreStep(_WORD, SIGACTION_S.pack(sa_handler=2)), CallStep(SIGACTION, (10, Pointer(_WORD), 0)))
        long = StoreStep(_IOVEC, TIMESPEC.pack(tv_sec=1000, tv_nsec=0))
        left = self.real.base(coming) + _WORD
        sleep = CallStep(SLEEP, (0, 0, Pointer(_IOVEC), left), cages=(0, 0, 0, coming))
        self._does(who, *acts, long, sleep)
        self._turns([0] * 3)
        self._does(Waiting(GRATE, 1), _CHILD)
        self._turns(answers)
        others = [w for w in self._idle(family=True) if w.cage != who.cage] if ours else []
        for wakes in [*others, Waiting(GRATE, 1)][:1]:
            if wakes in self.real.waiting():
                self._does(wakes, CallStep(KILL, (who.cage, 10)))
        self._turns([*answers, 0, 0])

    @precondition(_can)
    @rule(data=st.data(), signo=st.sampled_from([0, 10, 15]), answers=_ANSWERS)
    def kill(self, data: Any, signo: int, answers: list[int]) -> None:
        """A signal to anybody but the grate and the first of the adversary's: with them the run would be over."""
        pid = data.draw(self._named(), "pid")
        if pid not in (GRATE, FIRST):
            self._does(self._someone(data), CallStep(KILL, (pid, signo)))
            self._turns(answers)

    @precondition(_can)
    @rule(data=st.data(), value=st.integers(-5, 5), whole=st.booleans(), answers=_ANSWERS)
    def end(self, data: Any, value: int, whole: bool, answers: list[int]) -> None:
        """A function returns; a thread ends, or a cage other than the first."""
        who = self._someone(data)
        if who.call:
            self._does(who, ReturnStep(value))
        elif who.cage != FIRST:
            self._does(who, CallStep(EXIT_GROUP if whole else EXIT, (0,)))
        self._turns(answers)

    @rule(answers=st.lists(st.integers(0, 5), min_size=3, max_size=12))
    def turns(self, answers: list[int]) -> None:
        """Turns alone."""
        self._turns(answers)


def siege_machine(implementation: Callable[[], Besieged], *, flat: bool = False) -> type[SiegeMachine]:
    """A machine for another implementation (``flat``: pointers into any cage are its way); its ``TestCase`` is a test
    for pytest."""
    return type("SiegeMachineFor", (SiegeMachine,), {"implementation": staticmethod(implementation), "flat": flat})
