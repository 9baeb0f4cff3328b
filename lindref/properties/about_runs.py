"""Statements about whole runs: grate calls, processes, and what lindref adds (3i.md 9, 22 to 44; T1 …)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from lindref.posix.errno import EACCES, ECHILD, ESRCH
from lindref.properties.beneath_wasm import PassInWasm
from lindref.properties.programs import ENDS, execs, module
from lindref.properties.runs import GRATES, Runs, Seen
from lindref.properties.statements import states
from lindref.properties.strategies import (
    DENIABLE,
    Deny,
    Pass,
    cage_trees,
    call_scripts,
    compile_tree,
    grate_stacks,
    registers,
    schedules,
)
from lindref.system.python.grate import Grate, Served
from lindref.system.script_runner import BecomeStep, CallStep, Given, Pointer, ResultOf, StoreStep
from lindref.threei.numbers import BENEATH

CLONE, WAIT, GETPID, GETPPID, WRITE, EXIT_GROUP = 56, 61, 39, 110, 1, 231
_SIGNED = st.integers(-(1 << 31), (1 << 31) - 1)
_END = CallStep(EXIT_GROUP, (0,))
_ANY = (1 << 64) - 1
GRATE_ERROR = -536805379


class Answers(Grate):
    """Answers getuid itself."""

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def getuid(self, call: Served) -> int:
        """The value, and nothing beneath."""
        return int(self.value)


class Fails(Grate):
    """Fails in getuid, counts getgid."""

    def getuid(self, call: Served) -> int:
        """A mistake."""
        raise LookupError("as it should")

    def getgid(self, call: Served) -> int:
        """How often."""
        count: int = self.state.get("count", 0) + 1
        self.state["count"] = count
        return count


class Names(Grate):
    """Answers clone otherwise than what is beneath."""

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def clone(self, call: Served) -> int:
        """Fork, and say something else."""
        self.forward()
        return int(self.value)


class Leaves(Grate):
    """Ends itself in the nth getuid."""

    def __init__(self, nth: int = 1) -> None:
        self.nth = nth

    def getuid(self, call: Served) -> int:
        """Count, and go."""
        count: int = self.state.get("count", 0) + 1
        self.state["count"] = count
        if count == self.nth:
            self.call("exit_group", 0)
        return count


def _of(seen: Seen, cage: int, number: int) -> list[int | None]:
    return [made.result for made in seen.calls if made.cage == cage and made.number == number]


@states("22", "runs", "a call goes into a grate and out of it with the same six arguments and owners", "routes")
def _(runs: Runs, data: Any) -> None:
    seen = runs.run(data.draw(call_scripts()), [Pass()], data.draw(schedules()))
    outer = {made.call: made for made in seen.calls}
    inner = [made for made in seen.calls if made.cage >= GRATES]
    assert inner
    for made in inner:
        assert made.args == outer[made.within].args
        assert made.target == outer[made.within].target


@states("23", "runs", "what a handler returns reaches the caller unchanged")
def _(runs: Runs, data: Any) -> None:
    value = data.draw(_SIGNED)
    stack = [Answers(value)] + [Pass()] * data.draw(st.integers(0, 2))
    seen = runs.run((CallStep(102), _END), stack, data.draw(schedules()))
    assert _of(seen, 1, 102) == [value]


@states("24", "runs", "a handler that traps gives the one error, and its grate goes on")
def _(runs: Runs, data: Any) -> None:
    fails = data.draw(st.lists(st.sampled_from([102, 104]), min_size=1, max_size=5))
    seen = runs.run((*map(CallStep, fails), _END), [Fails()], data.draw(schedules()))
    assert _of(seen, 1, 102) == [GRATE_ERROR] * fails.count(102)
    assert _of(seen, 1, 104) == list(range(1, fails.count(104) + 1))


@states("31", "runs", "fork through a grate: its answer if positive, else the real child; the child sees 0")
def _(runs: Runs, data: Any) -> None:
    value = data.draw(st.integers(-5, 5))
    child = (CallStep(GETPID), CallStep(EXIT_GROUP, (0,)))
    steps = (CallStep(CLONE, (Pointer(64),), child=child), CallStep(WAIT, (_ANY, 0, 0)), _END)
    seen = runs.run(steps, [Names(value)], data.draw(schedules()))
    assert _of(seen, 1, CLONE) == [value if value > 0 else 2]
    assert _of(seen, 2, GETPID) == [2]
    assert _of(seen, 1, WAIT) == [2]


def _family(data: Any) -> tuple[tuple[Any, ...], list[int]]:
    """A cage with some children that exit with these codes at once."""
    codes = data.draw(st.lists(st.integers(0, 600), min_size=1, max_size=4))
    forks = []
    for code in codes:
        child = (CallStep(GETPID), CallStep(GETPPID), CallStep(EXIT_GROUP, (code,)))
        forks.append(CallStep(CLONE, (Pointer(64),), child=child))
    return tuple(forks), codes


@states("37", "runs", "cage ids strictly increase and are never used again")
def _(runs: Runs, data: Any) -> None:
    forks, codes = _family(data)
    steps: list[Any] = []
    for fork in forks:
        steps += [fork, CallStep(WAIT, (_ANY, 0, 0))]
    seen = runs.run((*steps, _END), data.draw(grate_stacks(1).filter(_harmless)), data.draw(schedules()))
    assert _of(seen, 1, CLONE) == list(range(2, 2 + len(codes)))


def _harmless(stack: tuple[Grate, ...]) -> bool:
    return not any(isinstance(grate, Deny) and grate.numbers for grate in stack)


@states("38", "runs", "getppid is the cage that forked")
def _(runs: Runs, data: Any) -> None:
    forks, codes = _family(data)
    seen = runs.run((*forks, *[CallStep(WAIT, (_ANY, 0, 0))] * len(codes), _END), (), data.draw(schedules()))
    assert all(_of(seen, cage, GETPPID) == [1] for cage in range(2, 2 + len(codes)))


@states("39", "runs", "every child that exits is waited for once, and then there is none")
def _(runs: Runs, data: Any) -> None:
    forks, codes = _family(data)
    waits = [CallStep(WAIT, (_ANY, 0, 0))] * (len(codes) + 1)
    seen = runs.run((*forks, *waits, _END), (), data.draw(schedules()))
    *waited, last = _of(seen, 1, WAIT)
    assert sorted(w or 0 for w in waited) == list(range(2, 2 + len(codes)))
    assert last == -ECHILD


@states("40", "runs", "the status that wait tells is the low byte of the exit code, shifted")
def _(runs: Runs, data: Any) -> None:
    forks, codes = _family(data)
    steps: list[Any] = []
    for fork in forks:
        steps.append(fork)
        steps.append(CallStep(WAIT, (ResultOf(len(steps) - 1), Pointer(700), 0)))
        steps.append(CallStep(WRITE, (1, Pointer(700), 4)))
    seen = runs.run((*steps, _END), (), data.draw(schedules()))
    assert seen.stdout == b"".join(((code & 255) << 8).to_bytes(4, "little") for code in codes)


@states("44", "runs", "a child has its parent's descriptors, and what it closes stays open in the parent")
def _(runs: Runs, data: Any) -> None:
    closed = data.draw(st.sampled_from([0, 1, 2]))
    child = (CallStep(3, (closed,)), CallStep(3, (closed,)), CallStep(EXIT_GROUP, (0,)))
    fork = CallStep(CLONE, (Pointer(64),), child=child)
    seen = runs.run((fork, CallStep(WAIT, (_ANY, 0, 0)), CallStep(3, (closed,)), _END), (), data.draw(schedules()))
    assert _of(seen, 2, 3) == [0, -9]
    assert _of(seen, 1, 3) == [0]


@states("51", "runs", "the exit status is that of the first cage, and every cage has ended by then")
def _(runs: Runs, data: Any) -> None:
    code = data.draw(st.integers(0, 600))
    child = (CallStep(24), CallStep(24), CallStep(WRITE, (1, Pointer(0), 1)), CallStep(EXIT_GROUP, (9,)))
    steps = (CallStep(CLONE, (Pointer(64),), child=child), CallStep(EXIT_GROUP, (code,)))
    seen = runs.run(steps, (), data.draw(schedules()))
    assert seen.status == code & 255
    assert seen.stdout == b"\0"


class Registrar(Grate):
    """Serves 3i's registrations, and passes them on."""

    def register_handler(self, call: Served) -> int:
        """Pass it on."""
        return self.forward()


@states("19", "runs", "who interposes registration sees exactly those that go through the table it is in", "routes")
def _(runs: Runs, data: Any) -> None:
    through = data.draw(st.lists(st.sampled_from([1, 2]), min_size=1, max_size=4))
    passes = (CallStep(1001, tuple(Given(i) for i in range(6))),)
    launch = registers(2, 1001, 1, 0, caller=1)
    child = (launch, *[registers(2, 77, 1, 0, caller=caller) for caller in through], _END)
    steps = (BecomeStep((passes,)), CallStep(CLONE, (Pointer(64),), child=child), CallStep(WAIT, (_ANY, 0, 0)), _END)
    seen = runs.run(steps, (), data.draw(schedules()))
    own = [made for made in seen.calls if made.cage == 2 and made.number == 1001][1:]  # the first is the launch
    assert [made.handler == 1 for made in own] == [caller == 2 for caller in through]
    assert all(made.result == 0 for made in own)


@states(
    "20",
    "runs",
    "an interposed registration shows cage, number, handler cage and function where they travel",
    "routes",
)
def _(runs: Runs, data: Any) -> None:
    cage, number, address = (data.draw(st.integers(2, 900)) for _ in range(3))
    seen = runs.run((registers(cage, number, 1, address, caller=1), _END), [Registrar()])
    made = next(made for made in seen.calls if made.number == 1001 and made.within)
    assert (made.args[0], made.args[1][1], made.args[2][0]) == ((cage, number), 1, address)


@states("29", "runs", "a cage that was forked and runs no image of its own serves nothing", unlike=("3I-FORKED-GRATE",))
def _(runs: Runs, data: Any) -> None:
    number = data.draw(st.sampled_from([102, 104, 107]))
    child = (CallStep(0, (3, Pointer(600), 1)), CallStep(EXIT_GROUP, (0,)))
    steps = (
        CallStep(22, (Pointer(640),)),
        CallStep(CLONE, (Pointer(64),), child=child),
        registers(1, number, 2, 0, caller=1),
        CallStep(number),
        CallStep(WRITE, (4, Pointer(0), 1)),
        CallStep(WAIT, (_ANY, 0, 0)),
        _END,
    )
    assert _of(runs.run(steps, (), data.draw(schedules())), 1, number) == [-ESRCH]


@states("42", "runs", "after fork what one writes to its memory the other does not see")
def _(runs: Runs, data: Any) -> None:
    place, mine, other = data.draw(st.integers(1024, 60_000)), data.draw(st.binary(min_size=1, max_size=5)), b"#!"
    child = (StoreStep(place, other), CallStep(WRITE, (1, Pointer(place), 2)), CallStep(EXIT_GROUP, (0,)))
    steps = (
        StoreStep(place, mine),
        CallStep(CLONE, (Pointer(64),), child=child),
        CallStep(WAIT, (_ANY, 0, 0)),
        CallStep(WRITE, (1, Pointer(place), len(mine))),
        _END,
    )
    assert runs.run(steps, (), data.draw(schedules())).stdout == other + mine


@states("49", "runs", "mappings are whole pages that overlap nothing, and what is unmapped can be mapped again")
def _(runs: Runs, data: Any) -> None:
    sizes = data.draw(st.lists(st.integers(1, 40_000), min_size=1, max_size=5))
    maps = [CallStep(9, (0, size, 3, 0x22, _ANY, 0)) for size in sizes]
    seen = runs.run((*maps, CallStep(9, (0, sizes[0], 3, 0x22, _ANY, 0)), _END))
    places = [(result or 0) & 0xFFFFFFFF for result in _of(seen, 1, 9)]
    ends = [place + (size + 4095) // 4096 * 4096 for place, size in zip(places, [*sizes, sizes[0]], strict=True)]
    assert all(place % 4096 == 0 and end <= 1 << 32 for place, end in zip(places, ends, strict=True))
    spans = sorted([(0, 16 * 4096), *zip(places, ends, strict=True)])  # a script's own pages come first
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


@states("30", "runs", "a handler that passes reads, writes and opens on changes no result")
def _(runs: Runs, data: Any) -> None:
    script, answers = data.draw(call_scripts()), data.draw(schedules())
    assert runs.run(script, [Pass()], answers).program() == runs.run(script, (), data.draw(schedules())).program()


def _passing(least: int = 1, most: int = 3) -> st.SearchStrategy[list[Grate]]:
    """Grates that pass everything on, those in wasm closest to the script."""
    some = st.lists(st.booleans(), min_size=least, max_size=most)
    return some.map(lambda wasm: [PassInWasm() if one else Pass() for one in sorted(wasm)])


@states("T1", "runs", "a grate that passes everything on is invisible: each cage gets what it gets without")
def _(runs: Runs, data: Any) -> None:
    script, answers, stack = data.draw(call_scripts()), data.draw(schedules()), data.draw(_passing())
    alone, beneath = runs.run(script, (), answers), runs.run(script, stack, answers)
    assert beneath.program() == alone.program()
    assert sorted(beneath.stdout) == sorted(alone.stdout)
    assert beneath.status == alone.status


@states("T2", "runs", "two grates that pass everything on are one")
def _(runs: Runs, data: Any) -> None:
    script, answers = data.draw(call_scripts()), data.draw(schedules())
    one = runs.run(script, data.draw(_passing(1, 1)), answers)
    two = runs.run(script, data.draw(_passing(2, 2)), answers)
    assert two.program() == one.program()
    assert (sorted(two.stdout), two.status) == (sorted(one.stdout), one.status)


@states("T3", "runs", "filters that refuse compose to their union, whatever their order")
def _(runs: Runs, data: Any) -> None:
    script, first, second = data.draw(call_scripts(0)), data.draw(DENIABLE), data.draw(DENIABLE)

    def beneath(*grates: Grate) -> dict[int, list[tuple[int, int | None]]]:
        return runs.run(script, grates, data.draw(schedules())).program()

    union = beneath(Deny(tuple(sorted({*first, *second}))))
    assert beneath(Deny(first), Deny(second)) == union
    assert beneath(Deny(second), Deny(first)) == union
    assert all(result == -EACCES for number, result in union.get(1, []) if number in (*first, *second))


@states(
    "T4",
    "runs",
    "no call of a program gets past the grate that is registered for it, nor does exec's loading",
    "routes",
)
def _(runs: Runs, data: Any) -> None:
    stack = data.draw(grate_stacks().filter(bool))
    steps: tuple[Any, ...] = ()
    if data.draw(st.booleans()):
        steps = (CallStep(CLONE, (Pointer(64),), child=execs(2, "/ends")), CallStep(WAIT, (_ANY, 0, 0)))
    tree = compile_tree(data.draw(cage_trees(1)), len(steps))
    seen = runs.run((*steps, *tree, _END), stack, data.draw(schedules()), files={"/ends": module(ENDS)})
    top = GRATES + len(stack) - 1
    started = [made for made in seen.calls if made.cage < GRATES and made.number != 1001]
    assert all(made.handler == top for made in started if made.handler is not None)
    assert not steps or [made.number for made in started if made.cage == 2] == [59, 9, GETPID, EXIT_GROUP]
    for made in seen.calls:
        if made.cage >= GRATES and made.within:
            assert made.handler == made.cage - 1 if made.cage > GRATES else made.handler in BENEATH


@states("T5", "runs", "a grate that is gone gets no call, and its callers an error", unlike=("3I-MISSING",))
def _(runs: Runs, data: Any) -> None:
    nth, calls = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))
    seen = runs.run((*[CallStep(102)] * calls, _END), [Leaves(nth)], data.draw(schedules()))
    expected = [*range(1, nth), GRATE_ERROR, *[-ESRCH] * calls][:calls]
    assert _of(seen, 1, 102) == expected


@states("T6", "runs", "the same answers to choice points give the same run, event by event", "schedule")
def _(runs: Runs, data: Any) -> None:
    script, stack = data.draw(call_scripts()), data.draw(grate_stacks(2))
    seen = runs.run(script, stack, data.draw(schedules()))
    again = runs.run(script, stack, seen.schedule)
    assert again == seen

