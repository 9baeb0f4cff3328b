"""Statements about what a cage cannot shed, whatever 3i calls it and its descendants make (CAP-1 … CAP-5)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lindref.posix.errno import EPERM
from lindref.posix.usermem import model_base
from lindref.properties.runs import GRATES, Runs
from lindref.properties.statements import states
from lindref.properties.strategies import registers, schedules
from lindref.system.python.grate import Grate, Served
from lindref.system.script_runner import BecomeStep, CallStep, Given, Pointer, ReturnStep
from lindref.threei.numbers import BENEATH, DEREGISTER, UNUSED

GETUID, GETGID, GETEUID, CLONE, WAIT, EXIT_GROUP = 102, 104, 107, 56, 61, 231
_END = CallStep(EXIT_GROUP, (0,))
_WAIT = CallStep(WAIT, ((1 << 64) - 1, 0, 0))
_NUMBERS = [GETUID, GETGID, GETEUID]

#: Cages that an attack names: those of the run, one that is none, those beneath all grates.
_NAMED = st.sampled_from([1, 2, 2, 3, 3, 4, 77, *BENEATH])
_SLOTS = st.integers(0, 3)


def _forward(number: int) -> tuple[Any, ...]:
    """A handler of cage 1 that passes a call on."""
    return (CallStep(number, tuple(Given(i) for i in range(6)), caller=0), ReturnStep(7))


#: What the functions of the grate in cage 1 do: pass getuid on, refuse, answer; and one it offers to nobody.
_FUNCTIONS = (_forward(GETUID), (ReturnStep(-13),), (ReturnStep(5),), _forward(GETEUID))


def _attacks(depth: int = 1) -> st.SearchStrategy[tuple[Any, ...]]:
    """Calls of 3i with any ids, calls that lean on what they did, forks that do the same, and exec."""
    to = st.sampled_from([1, 1, 2, 3, DEREGISTER, 777777, *BENEATH, 77])
    number = st.sampled_from(_NUMBERS)
    #: Most are about the cage itself, by itself (caller 0) or in the name of the grate: the others are refused early.
    mine = st.builds(registers, st.sampled_from([2, 2, 3]), number, to, _SLOTS, st.sampled_from([0, 0, 1]))
    register = mine | mine | st.builds(registers, _NAMED, number, to, _SLOTS, _NAMED)
    over = st.builds(_copies, st.sampled_from([1, 1, 3]), st.sampled_from([2, 2, 3]), st.sampled_from([0, 1]))
    table = over | st.builds(_copies, _NAMED, _NAMED, _NAMED)
    call = st.builds(lambda n, who: CallStep(n, caller=who), number, _NAMED)
    become = st.builds(BecomeStep, st.just(tuple((CallStep(n, caller=1), ReturnStep(1)) for n in _NUMBERS)))
    steps: st.SearchStrategy[Any] = st.one_of(register, register, register, table, table, call, become)
    if depth:
        child = _attacks(depth - 1).map(lambda does: CallStep(CLONE, (Pointer(64),), child=(*does, *_ASKS, _END)))
        steps = st.one_of(steps, steps, steps, child)
    return st.lists(steps, min_size=1, max_size=7).map(tuple)


def _copies(source: int, target: int, caller: int) -> CallStep:
    return CallStep(1003, (source, *[UNUSED] * 5), cages=(target, caller, caller), caller=caller, target=caller)


_ASKS = tuple(CallStep(number) for number in _NUMBERS)


def _imposed(data: Any) -> tuple[dict[int, int], tuple[Any, ...]]:
    """Numbers with the functions of cage 1 that are put over cage 2 before it runs a program of its own; its steps."""
    imposed = data.draw(st.dictionaries(st.sampled_from(_NUMBERS), st.integers(0, 2), min_size=1))
    launch = tuple(registers(2, number, 1, slot, caller=1) for number, slot in imposed.items())
    program = (*launch, BecomeStep(), *data.draw(_attacks()), *_ASKS, _WAIT, _WAIT, _END)
    return imposed, (BecomeStep(_FUNCTIONS), CallStep(CLONE, (Pointer(64),), child=program), _WAIT, _END)


@states(
    "C1",
    "runs",
    "no call of 3i frees a cage or its descendants of what was imposed on it",
    unlike=("3I-ANY-CAGE", "3I-ANY-ROW", "3I-ANY-TABLE"),
)
def _(runs: Runs, data: Any) -> None:
    imposed, steps = _imposed(data)
    seen = runs.run(steps, (), data.draw(schedules()))
    launched = 0
    for made in seen.calls:
        if made.cage < 2:
            continue
        if made.number == 1001 and launched < len(imposed):
            launched += 1
            assert made.result == 0, "the launch itself is legal"
        elif made.number in imposed and made.target >= 2:
            assert made.handler not in BENEATH, f"call {made.number} of cage {made.cage} got past what was imposed"
    # What the grate has decided, the program sees, and no other of the grate's functions.
    last = [made for made in seen.calls if made.cage == 2 and made.number in _NUMBERS][-len(_NUMBERS) :]
    for made in last:
        if imposed.get(made.number) and made.result != -EPERM:
            assert made.handler != 1 or made.result == {1: -13, 2: 5}[imposed[made.number]]


@states(
    "C4",
    "runs",
    "of a grate's functions a program gets those that were put over it, and no other",
    unlike=("3I-ANY-ROW",),
)
def _(runs: Runs, data: Any) -> None:
    number, (mine, other) = data.draw(st.sampled_from(_NUMBERS)), data.draw(st.sampled_from([(1, 2), (2, 1)]))
    as_whom = data.draw(st.sampled_from([0, 1]))
    launch = registers(2, number, 1, mine, caller=1)
    program = (launch, BecomeStep(), registers(2, number, 1, other, caller=as_whom), CallStep(number), _END)
    seen = runs.run((BecomeStep(_FUNCTIONS), CallStep(CLONE, (Pointer(64),), child=program), _WAIT, _END))
    asked = [made.result for made in seen.calls if made.cage == 2 and made.number == number]
    assert asked == [{1: -13, 2: 5}[mine]]


class Open(Grate):
    """Lets its registrations be made by whoever asks."""

    def register_handler(self, call: Served) -> int:
        """Pass it on."""
        return self.forward()

    def getuid(self, call: Served) -> int:
        """Refuse."""
        return -13


@states("C2", "runs", "a grate that passes registrations on lends its maker no rights", unlike=("3I-ANY-ROW",))
def _(runs: Runs, data: Any) -> None:
    handler, slot = data.draw(st.sampled_from([DEREGISTER, 1, GRATES])), data.draw(_SLOTS)
    seen = runs.run((registers(1, GETUID, handler, slot), CallStep(GETUID), _END), [Open()])
    assert [made.result for made in seen.calls if made.cage == 1 and made.number == GETUID] == [-13]


@states(
    "C3",
    "runs",
    "memory is copied between kin, or where a call being served has handed its owner over",
    unlike=("3I-ANY-MEMORY",),
)
def _(runs: Runs, data: Any) -> None:
    launching = data.draw(st.booleans())
    source, dest = data.draw(st.sampled_from([(1, 2), (2, 1), (1, 3), (3, 1)]))
    copy = CallStep(1002, (_address(source), _address(dest), 4, 0), cages=(source, dest))
    child = (*(() if launching else (BecomeStep(),)), copy, _END)
    seen = runs.run((CallStep(CLONE, (Pointer(64),), child=child), _WAIT, _END), (), data.draw(schedules()))
    result = next(made.result for made in seen.calls if made.number == 1002)
    assert (result == -EPERM) == (not launching)
    # In a handler, what its caller owns can be copied, and to nobody but the grate.
    handler = (CallStep(1002, (Given(0), Pointer(2048), 4, 0), cages=(0, 1)), ReturnStep(0))
    program = (registers(2, GETUID, 1, 0, caller=1), BecomeStep(), CallStep(GETUID, (Pointer(0),)), _END)
    steps = (BecomeStep((handler,)), CallStep(CLONE, (Pointer(64),), child=program), _WAIT, _END)
    served = [made.result for made in runs.run(steps).calls if made.number == 1002]
    assert served
    assert served[0] != -EPERM


def _address(cage: int) -> int:
    """An address in the memory of a cage of lindref's model, to be copied from or to."""
    return model_base(cage) + 2048
