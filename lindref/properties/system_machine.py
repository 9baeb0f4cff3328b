"""A state machine over a whole system: what its cages do is drawn, and so is who has each turn.

Beside it goes a small model (``system_model.Model``). After every turn all that happened and all that can be seen is
compared; going back to a state that was kept gives that state, and going on from there the same way comes to the same;
at the end the whole run is played once more from its schedule, and is the same event by event.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from lindref import classes
from lindref.posix.structs import CLONE_ARGS, SIGACTION
from lindref.properties import system_model as calls
from lindref.properties.driven import ENDS_PATH, Driven, LindrefDriven
from lindref.properties.programs import execs
from lindref.properties.strategies import registers
from lindref.properties.system_model import SERVED, WATCHED, Model
from lindref.properties.tables import DEREGISTER
from lindref.system.events import Event
from lindref.system.script_runner import (
    AwaitStep,
    BecomeStep,
    CallStep,
    Given,
    Pointer,
    ReturnStep,
    StoreStep,
)
from lindref.threei.numbers import UNUSED

#: At most so many cages are made, and so many threads in each.
MOST_CAGES, MOST_THREADS = 7, 3
_STACK, _TID, _BYTES, _ACT = 0x8000, 2304, 512, 2400
_ANY = (1 << 64) - 1
_SIGPIPE = 13

#: Answers of the turns that follow what was given.
ANSWERS = st.lists(st.integers(0, 5), min_size=4, max_size=16)
#: What a handler does, by its place among those of its number; the last is no function.
KINDS = st.sampled_from([0, 1, 2, 100])
SIGNALS = st.sampled_from([1, 10, 12, 15])



def _pass(number: int) -> CallStep:
    """The call that a handler serves, made again for whom it came from."""
    return CallStep(number, tuple(Given(i) for i in range(6)), target=Given(0))


#: Three handlers for each number: one answers, one passes on, one passes on and says 0.
HANDLERS: tuple[tuple[Any, ...], ...] = tuple(
    step
    for number in SERVED
    for step in (
        (ReturnStep(calls.ANSWERED),),
        (_pass(number),),
        (_pass(number), ReturnStep(0)),
    )
)


FORK = CallStep(calls.CLONE, (Pointer(calls.FORK_ARGS),), child=(AwaitStep(),))


@classes.frozen
class Kept:
    """A state that one can go back to: the implementation's, the model's, its digest, how much had been done."""

    state: Any
    model: Model
    digest: bytes
    done: int


class SystemMachine(RuleBasedStateMachine):
    """``implementation`` beside a model of dicts, under a schedule that is drawn turn by turn."""

    implementation: ClassVar[Callable[..., Driven]] = LindrefDriven

    def __init__(self) -> None:
        super().__init__()
        self.real = type(self).implementation()
        self.model = Model(self.real.look(WATCHED))
        #: ("give", cage, tid, steps) or ("turn", answer); what happened in each; whether nothing differed so far.
        self.deeds: list[tuple[Any, ...]] = []
        self.trace: list[list[str]] = []
        self.kept: Kept | None = None
        self.sound = True
        # A pipe that nobody reads any more is to give an error, not an end.
        ignore = SIGACTION.pack(sa_handler=1)
        self._give((1, 1), StoreStep(_ACT, ignore), CallStep(13, (_SIGPIPE, Pointer(_ACT), 0)))
        self._settle((1, 1))

    # Driving.

    def _do(self, deed: tuple[Any, ...]) -> list[Event]:
        """A deed, noted down."""
        events: list[Event] = []
        if deed[0] == "give":
            self.real.give(*deed[1:])
        else:
            events = self.real.turn(deed[1])
        self.deeds.append(deed)
        self.trace.append([*map(repr, events)])
        return events

    def _turns(self, answers: list[int]) -> None:
        """Turns of the system, compared one by one."""
        self.sound = False
        for answer in answers:
            if not self.model.cages:
                break
            for event in self._do(("turn", answer)):
                self.model.happened(event)
            self.model.compare(self.real.look(WATCHED))
        self.sound = True

    def _settle(self, who: tuple[int, int]) -> None:
        """Turns until a thread has done what it was given, or waits."""
        for _ in range(40):
            if who not in self.model.busy:
                break
            self._turns([0])

    def _give(self, who: tuple[int, int], *steps: Any) -> None:
        """Something to do for a thread that has nothing to do."""
        self.model.busy[who] = sum(isinstance(step, CallStep) for step in steps)
        self._do(("give", *who, steps))

    def _free(self) -> list[tuple[int, int]]:
        return [(c.id, tid) for c in self.model.cages.values() for tid in sorted(c.threads) if self._is_free(c.id, tid)]

    def _is_free(self, cage: int, tid: int) -> bool:
        # A program that was exec'd takes nothing; where its exit_group is served by nobody, its end is still to come.
        return (cage, tid) not in self.model.busy and cage not in self.model.exiting | self.model.ending

    def _who(self, data: Any) -> tuple[int, int]:
        who: tuple[int, int] = data.draw(st.sampled_from(self._free()), "thread")
        return who

    def _some_free(self) -> bool:
        return bool(self._free())

    def _cages(self) -> st.SearchStrategy[int]:
        """Living cages mostly, then those that there were, and one that there never was."""
        living = st.sampled_from(sorted(self.model.cages))
        return st.one_of(living, living, living, st.sampled_from([*range(1, self.model.last + 1), 4242]))

    def _fd(self, data: Any, cage: int) -> int:
        """A descriptor, open mostly, none of the standard ones."""
        fds = [fd for fd in self.model.cages[cage].fds if fd > 2]
        fd: int = data.draw(st.sampled_from([*sorted(fds), *sorted(fds), 9]), "descriptor")
        return fd

    def _handlers(self) -> st.SearchStrategy[int]:
        """Cages that rows may name: grates, their forks, dead cages, none at all."""
        model = self.model
        some = st.sampled_from([*sorted(model.grates | model.copies), *sorted(model.exiting), 4242])
        live = sorted(model.grates - model.exiting)
        return st.one_of(*[st.sampled_from(live)] * 3, some) if live else some

    # Cages, threads, programs.

    @initialize(ends=st.booleans(), children=st.integers(0, 2))
    def family(self, ends: bool, children: int) -> None:
        """Some cages to begin with, perhaps with a pipe that all have; the second one is a grate."""
        if ends:
            self._give((1, 1), CallStep(calls.PIPE, (Pointer(640),)))
            self._settle((1, 1))
        for _ in range(1 + children):
            self._give((1, 1), FORK)
            self._settle((1, 1))
        self.model.becoming.add(2)
        self._give((2, 1), BecomeStep(HANDLERS), CallStep(calls.GETPID))
        self._turns([0] * 12)

    @precondition(lambda self: self._some_free() and self.model.last < MOST_CAGES)
    @rule(data=st.data(), answers=ANSWERS)
    def fork(self, data: Any, answers: list[int]) -> None:
        """A child: the parent's table, descriptors and mask."""
        self._give(self._who(data), FORK)
        self._turns(answers)

    @precondition(_some_free)
    @rule(data=st.data(), answers=ANSWERS)
    def thread(self, data: Any, answers: list[int]) -> None:
        """A further thread of the same cage."""
        who = self._who(data)
        if self.model.cages[who[0]].next_thread > MOST_THREADS:
            return
        base = self.real.base(who[0])
        args = CLONE_ARGS.pack(flags=0x100, stack=_STACK, stack_size=0x4000, child_tid=base + _TID)
        clone = CallStep(56, (Pointer(calls.THREAD_ARGS),), child=(AwaitStep(),))
        self._give(who, StoreStep(calls.THREAD_ARGS, args), clone)
        self._turns(answers)

    @precondition(_some_free)
    @rule(data=st.data(), answers=ANSWERS)
    def become(self, data: Any, answers: list[int]) -> None:
        """Another program in the same cage, as after exec: a grate. Its table stays."""
        who = cage, _ = self._who(data)
        model = self.model
        named = {row[0] for rows in model.tables.values() for row in rows.values() if row is not None}
        if cage not in named | model.grates | model.copies and len(model.cages[cage].threads) == 1:
            model.becoming.add(cage)
            self._give(who, BecomeStep(HANDLERS), CallStep(calls.GETPID))
            self._turns(answers)

    @precondition(_some_free)
    @rule(data=st.data(), answers=ANSWERS)
    def exec(self, data: Any, answers: list[int]) -> None:
        """A program of the root in the same cage: its memory is mapped by a call of its own, it asks, it ends."""
        who = cage, tid = self._who(data)
        model = self.model
        named = {row[0] for rows in model.tables.values() for row in rows.values() if row is not None}
        if cage not in named | model.grates | model.copies | {1} and model.cages[cage].threads == {tid} == {1}:
            self._give(who, *execs(cage, ENDS_PATH))
            model.busy[who] += calls.OF_PROGRAM
            self._turns(answers)

    @precondition(_some_free)
    @rule(data=st.data(), code=st.integers(0, 600), whole=st.booleans(), answers=ANSWERS)
    def exit(self, data: Any, code: int, whole: bool, answers: list[int]) -> None:
        """The end of a thread, or of a cage."""
        who = self._who(data)
        if who[0] != 1 or len(self.model.cages) > 3:  # else runs are short
            self._give(who, CallStep(calls.EXIT_GROUP if whole else calls.EXIT, (code,)))
            self._turns(answers)

    @precondition(_some_free)
    @rule(data=st.data(), at_once=st.booleans(), answers=ANSWERS)
    def wait(self, data: Any, at_once: bool, answers: list[int]) -> None:
        """Wait for any child."""
        self._give(self._who(data), CallStep(calls.WAIT, (_ANY, 0, int(at_once))))
        self._turns(answers)

    # Handler tables.

    @precondition(_some_free)
    @rule(data=st.data(), number=st.sampled_from(SERVED), kind=KINDS, answers=ANSWERS)
    def register(self, data: Any, number: int, kind: int, answers: list[int]) -> None:
        """A row for any cage, with any handler."""
        who, cage, handler = self._who(data), data.draw(self._cages()), data.draw(self._handlers())
        if handler != cage:  # a grate that passes its own call on to itself never answers
            self._give(who, registers(cage, number, handler, 3 * SERVED.index(number) + kind))
            self._turns(answers)

    @precondition(lambda self: self._some_free() and bool(self.model.grates - self.model.exiting))
    @rule(data=st.data(), number=st.sampled_from(SERVED), kind=KINDS, answers=ANSWERS)
    def impose(self, data: Any, number: int, kind: int, answers: list[int]) -> None:
        """A row of one's own with a grate that lives, and a call that it is to serve."""
        who, grate = self._who(data), data.draw(st.sampled_from(sorted(self.model.grates - self.model.exiting)))
        if who[0] != grate:
            row = registers(who[0], number, grate, 3 * SERVED.index(number) + kind)
            self._give(who, row, self._call(data, who[0], number))
            self._turns([*answers, 0, 0, 0])

    def _call(self, data: Any, cage: int, number: int) -> CallStep:
        """A call of one of the numbers that grates serve."""
        if number == calls.REGISTER:
            return registers(data.draw(self._cages()), calls.GETUID, DEREGISTER, 0)
        if number == calls.CLONE and self.model.last < MOST_CAGES:
            return FORK
        if number in (calls.CLOSE, calls.DUP):
            return CallStep(number, (self._fd(data, cage),))
        if number == calls.EXIT_GROUP:
            return CallStep(number, (data.draw(st.integers(0, 600), "code"),))
        return CallStep(calls.GETPID if number == calls.CLONE else number)

    @precondition(_some_free)
    @rule(data=st.data(), number=st.sampled_from(SERVED), answers=ANSWERS)
    def deregister(self, data: Any, number: int, answers: list[int]) -> None:
        """A row goes."""
        self._give(self._who(data), registers(data.draw(self._cages()), number, DEREGISTER, 0))
        self._turns(answers)

    @precondition(_some_free)
    @rule(data=st.data(), answers=ANSWERS)
    def copy(self, data: Any, answers: list[int]) -> None:
        """A whole table for another cage."""
        who, source, dest = self._who(data), data.draw(self._cages()), data.draw(self._cages())
        self._give(who, CallStep(calls.COPY, (source, UNUSED), cages=(dest,)))
        self._turns(answers)

    # Calls.

    @precondition(_some_free)
    @rule(data=st.data(), number=st.sampled_from([calls.GETPID, calls.GETUID, calls.GETPPID]), answers=ANSWERS)
    def ask(self, data: Any, number: int, answers: list[int]) -> None:
        """A call without arguments, to whom its row says."""
        self._give(self._who(data), CallStep(number))
        self._turns(answers)

    def _served(self) -> list[tuple[tuple[int, int], int]]:
        """Calls that go to a grate: by whom, which."""
        tables, beneath = self.model.tables, (*calls.BENEATHS, None)
        return [
            (who, number)
            for who in self._free()
            for number in SERVED
            if (row := tables.get(who[0], {}).get(number)) is not None and row[0] not in beneath
        ]

    @precondition(lambda self: bool(self._served()))
    @rule(data=st.data(), answers=ANSWERS)
    def served(self, data: Any, answers: list[int]) -> None:
        """A call that a grate serves."""
        who, number = data.draw(st.sampled_from(self._served()), "call")
        self._give(who, self._call(data, who[0], number))
        self._turns([*answers, 0, 0, 0])

    @precondition(_some_free)
    @rule(data=st.data(), answers=ANSWERS)
    def pipe(self, data: Any, answers: list[int]) -> None:
        """Two more descriptors."""
        who = self._who(data)
        if len(self.model.cages[who[0]].fds) < 9:
            self._give(who, CallStep(calls.PIPE, (Pointer(640),)))
            self._turns(answers)

    @precondition(_some_free)
    @rule(data=st.data(), number=st.sampled_from([calls.CLOSE, calls.DUP]), answers=ANSWERS)
    def descriptor(self, data: Any, number: int, answers: list[int]) -> None:
        """Close or double one, open or not."""
        who = self._who(data)
        self._give(who, CallStep(number, (self._fd(data, who[0]),)))
        self._turns(answers)

    @precondition(_some_free)
    @rule(data=st.data(), number=st.sampled_from([0, 1, 1]), count=st.integers(1, 6), answers=ANSWERS)
    def transfer(self, data: Any, number: int, count: int, answers: list[int]) -> None:
        """Read or write; a read of an empty pipe waits as long as somebody may write."""
        who = self._who(data)
        self._give(who, CallStep(number, (self._fd(data, who[0]), Pointer(_BYTES), count)))
        self._turns(answers)

    # Signals.

    @precondition(_some_free)
    @rule(data=st.data(), signo=SIGNALS, unblock=st.booleans(), answers=ANSWERS)
    def mask(self, data: Any, signo: int, unblock: bool, answers: list[int]) -> None:
        """Block a signal, or let it come."""
        place = calls.MASKS + 8 * signo
        word = StoreStep(place, (1 << signo - 1).to_bytes(8, "little"))
        self._give(self._who(data), word, CallStep(calls.SIGPROCMASK, (int(unblock), Pointer(place), 0)))
        self._turns(answers)

    @precondition(_some_free)
    @rule(data=st.data(), signo=SIGNALS, blocked=st.booleans(), answers=ANSWERS)
    def kill(self, data: Any, signo: int, blocked: bool, answers: list[int]) -> None:
        """Send a signal: one that is blocked stays, any other is the end of the cage."""
        who, pid = self._who(data), data.draw(st.integers(1, self.model.last))
        cage = self.model.cages.get(pid)
        if blocked and cage is not None and cage.mask:
            signo = cage.mask.bit_length()
        elif pid == 1 or blocked:
            return
        self._give(who, CallStep(calls.KILL, (pid, signo)))
        self._turns(answers)

    # Turns, and going back.

    @rule(answers=st.lists(st.integers(0, 5), min_size=5, max_size=30))
    def turns(self, answers: list[int]) -> None:
        """Turns alone."""
        self._turns(answers)

    @rule()
    def keep(self) -> None:
        """Keep the present state."""
        self.kept = Kept(self.real.keep(), copy.deepcopy(self.model), self.real.digest(), len(self.deeds))

    @precondition(lambda self: self.kept is not None)
    @rule(stay=st.booleans())
    def restore(self, stay: bool) -> None:
        """Go back: it is the same state; the same way from there leads to where one was. ``stay`` back, or go on."""
        kept = self.kept
        assert kept is not None
        self.sound = False
        here, model, deeds, trace = self.real.digest(), self.model, self.deeds, self.trace
        self._back(kept)
        for deed in deeds[kept.done :]:
            self._do(deed)
        assert self.trace == trace, "gone back and on, the run is another"
        assert self.real.digest() == here, "gone back and on, the state is another"
        self.model = model
        if stay:
            self._back(kept)
            self.model.compare(self.real.look(WATCHED))
        self.sound = True

    def _back(self, kept: Kept) -> None:
        self.real.restore(kept.state)
        assert self.real.digest() == kept.digest, "a state that was kept is another"
        self.model = copy.deepcopy(kept.model)
        self.deeds, self.trace = self.deeds[: kept.done], self.trace[: kept.done]

    def teardown(self) -> None:
        """The run once more, from its schedule, unless something differed already."""
        if not self.sound:
            return
        again = type(self).implementation(self.real.schedule())
        for deed, happened in zip(self.deeds, self.trace, strict=True):
            events: list[Event] = []
            if deed[0] == "give":
                again.give(*deed[1:])
            else:
                events = again.turn(0)
            assert [*map(repr, events)] == happened, "played again, the run is another"
        assert again.digest() == self.real.digest(), "played again, the state is another"


def system_machine(implementation: Callable[..., Driven]) -> type[SystemMachine]:
    """A machine for another implementation; its ``TestCase`` is a test for pytest."""
    return type("SystemMachineFor", (SystemMachine,), {"implementation": staticmethod(implementation)})
