"""Scripts of ``lindref.properties`` (steps and grates in Python) as vectors, for whatever plays vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from lindref import classes
from lindref.conformance.vectors.model import Vector
from lindref.posix.table import NUMBERS
from lindref.properties.about_runs import Answers, Fails, Leaves, Names
from lindref.properties.beneath_wasm import PassInWasm
from lindref.properties.statements import NotRelevant
from lindref.properties.strategies import Deny, Pass
from lindref.system.python.grate import Grate
from lindref.system.script_runner import BecomeStep, CallStep, Given, Pointer, ResultOf, ReturnStep, StoreStep
from lindref.threei.numbers import UNUSED

Json = dict[str, Any]

_CLONE, _WAIT, _EXIT_GROUP, _EXEC, _REGISTER, _BRK, _SIGACTION = 56, 61, 231, 59, 1001, 12, 13
#: The pages of a script, and the buffer of a vector that stands for them.
_PAGES, _BUFFER = 16 * 4096, 15
_STATUS = {"buf": [2, 0]}
_COUNT = {"buf": [5, 0]}
_CALLS_3I = 1000
_NAMES = {number: name for name, number in NUMBERS.items()}


@classes.frozen
class Translated:
    """A vector, and what its observation is to be read by: the number of the call that each step of the script's own
    is, how many grates come before it, the step that tells its wait status ("": the run's), what it needs."""

    vector: Vector
    numbers: Mapping[str, int]
    grates: int
    status: str
    needs: frozenset[str]


def translate(steps: Sequence[Any], grates: Sequence[Grate], workers: int) -> Translated:
    """The script beneath the grates (the last is closest). Raises ``NotRelevant`` where vectors have not the like."""
    one = _Translation()
    handlers = {}
    if steps and isinstance(steps[0], BecomeStep):
        handlers = {str(slot): one.steps(does, [], handler=True) for slot, does in enumerate(steps[0].handlers)}
        handlers = {slot: does for slot, does in handlers.items() if does}
    own = one.steps(steps, [], first=True)
    numbers = dict(one.numbers)
    programs: dict[str, Any] = {}
    names = ["main", *(f"g{number}" for number in range(2, len(grates) + 1))][: len(grates)]
    status = ""
    for name, inner, grate in zip(names, [*names, "app"][1:], grates, strict=True):
        programs[name], status = one.grate(grate, inner)
    programs["app" if grates else "main"] = {"steps": own, **({"handlers": handlers} if handlers else {})}
    if grates:
        one.needs.update(("grates", "fork", "exec"))
    tags = (f"LIND_GRATE_WORKERS={workers}",)
    vector = Vector("properties.script", "a script of a statement", [], programs, tags, {})
    return Translated(vector, numbers, len(grates), status, frozenset(one.needs))


def _res(step: str, plus: int = 0) -> Json:
    return {"res": [step, plus]}


class _Translation:
    """One translation: its ids of steps, the calls that it makes, what it needs."""

    def __init__(self) -> None:
        self._ids = map("s{}".format, count(1))
        self.numbers: dict[str, int] = {}
        self.needs: set[str] = set()

    def _step(self, op: str, /, **fields: Any) -> Json:
        return {"id": next(self._ids), "op": op, **fields}

    # The script.

    def steps(
        self, steps: Sequence[Any], before: Sequence[str], *, first: bool = False, handler: bool = False
    ) -> list[Json]:
        """Steps after those with the ids ``before``, of the script or (``handler``) of one of its functions."""
        ids, made = list(before), []
        stored: set[int] = set()
        for position, step in enumerate(steps):
            match step:
                case StoreStep(offset, data):
                    stored.add(offset)
                    made.append(self._step("set", at=_place(offset), hex=data.hex()))
                case ReturnStep(value):
                    made.append(self._step("return", value=value))
                case BecomeStep() if first and position == 0:
                    made.append(self._step("eval", value=0))
                case CallStep():
                    if step.child is not None and step.number == _CLONE and {p.offset for p in step.args} & stored:
                        raise NotRelevant("threads are not translated")
                    made.append(self._call(step, ids))
                    if not handler:
                        self.numbers[made[-1]["id"]] = step.number
                case _:
                    raise NotRelevant(f"{type(step).__name__} is not translated")
            ids.append(made[-1]["id"])
        return made

    def _call(self, step: CallStep, ids: list[str]) -> Json:
        if step.number in (_EXEC, _SIGACTION, _BRK):
            raise NotRelevant(f"{_NAMES[step.number]} of a script is not translated")
        name = _NAMES.get(step.number, str(step.number))
        args = [_value(arg, ids) for arg in step.args]
        if step.child is not None:
            self.needs.add("fork")
            fork = self._step("fork")
            return {**fork, "child": self.steps(step.child, [*ids, fork["id"]]), "exit": [_EXIT_GROUP, 0]}
        plain = not (step.caller or step.target or step.cages or any(isinstance(arg, Given) for arg in step.args))
        if plain and step.number == _EXIT_GROUP:
            return self._step("exit", n=step.number, code=args[0])
        if plain and step.number < _CALLS_3I:
            return self._step("call", n=step.number, name=name, args=args)
        self.needs.add("grates")
        cages: list[Any] = ["unused" if cage == UNUSED else cage for cage in step.cages]
        cages += ["self"] * (6 - len(cages))
        for place, arg in enumerate(step.args):
            if isinstance(arg, Given):
                cages[place] = {"hcage": arg.index + 1}
        args += ["unused"] * (6 - len(args))
        target = {"hcage": step.target.index + 1} if isinstance(step.target, Given) else step.target or "self"
        pairs = [[value, cage] for value, cage in zip(args, cages, strict=True)]
        return self._step("call3i", n=step.number, name=name, self=step.caller or "self", target=target, pairs=pairs)

    # Grates.

    def grate(self, grate: Grate, inner: str) -> tuple[Json, str]:
        """The program of a grate that starts program ``inner`` beneath itself, and the step that tells how it ended."""
        used = sorted({*self.numbers.values(), _CLONE, _WAIT, _EXIT_GROUP} - {_REGISTER})
        found = ((slot, number, self._function(grate, number)) for slot, number in enumerate(used))
        functions = {slot: (number, does) for slot, number, does in found if does is not None}
        me, child = (self._step("call", n=39, name="getpid", args=[]) for _ in range(2))
        ids = _res(child["id"]), _res(me["id"])
        rows = [self._registers(*ids, number, slot) for slot, (number, _) in functions.items()]
        argv, path = {"buf": [13, 0]}, {"str": f"/prog/{inner}"}
        starts = [
            self._step("put", at=argv, width=8, value=path),
            self._step("call", n=_EXEC, name="execve", args=[path, argv, {"buf": [13, 16]}]),
        ]
        fork = self._step("fork", child=[child, *rows, *starts], exit=[_EXIT_GROUP, 0])
        told = [{"at": _STATUS, "len": 4, "as": "i32"}]
        wait = self._step("call", n=_WAIT, name="wait4", args=[-1, _STATUS, 0], dump=told)
        # A slot that is registered and has no function traps.
        slots = {str(slot): does for slot, (_, does) in functions.items() if does}
        return {"steps": [me, fork, wait], "handlers": slots}, wait["id"]

    def _registers(self, cage: Json, grate: Json, number: int, slot: int) -> Json:
        pairs = [[cage, number], ["unused", grate], [slot, "unused"]]
        name = "register_handler"
        return self._step("call3i", n=_REGISTER, name=name, self=grate, target=grate, pairs=pairs)

    def _function(self, grate: Grate, number: int) -> list[Json] | None:
        """What a grate does in a call; nothing: it traps; ``None``: it does not serve it."""
        find = _FUNCTIONS.get(type(grate))
        if find is None:
            raise NotRelevant(f"grate {type(grate).__name__} is not translated")
        return find(self, grate, number)

    def passes(self, number: int, instead: int | None = None) -> list[Json]:
        """Pass the call on; give what that gives, or ``instead``."""
        pairs = [[{"harg": place}, {"hcage": place}] for place in range(1, 7)]
        name = _NAMES.get(number, str(number))
        call = self._step("call3i", n=number, name=name, self="own", target={"hcage": 1}, pairs=pairs)
        return [call, self._step("return", value=_res(call["id"]) if instead is None else instead)]

    def gives(self, value: int) -> list[Json]:
        """Answer without passing on."""
        return [self._step("return", value=value)]

    def counts(self, last: int = 0) -> list[Json]:
        """Give how often it was called, and end the grate in the ``last`` of them."""
        add = self._step("add", at=_COUNT, value=1)
        ends = [self._step("exit", n=_EXIT_GROUP, code=0)]
        leaves = [self._step("ifeq", a=_res(add["id"]), b=last, then=ends)] if last else []
        return [add, *leaves, self._step("return", value=_res(add["id"]))]


def _place(offset: int) -> Json:
    if not 0 <= offset < _PAGES:
        raise NotRelevant("a place beyond the pages of a script")
    return {"buf": [_BUFFER, offset]}


def _value(arg: Any, ids: list[str]) -> Any:
    match arg:
        case Pointer(offset):
            return _place(offset)
        case ResultOf(step, plus):
            return _res(ids[step], plus)
        case Given(index):
            return {"harg": index + 1}
    return "unused" if arg == UNUSED else arg - (1 << 64) if arg >> 63 else arg


def _denies(one: _Translation, grate: Any, number: int) -> list[Json]:
    return one.gives(-13) if number in grate.numbers else one.passes(number)


def _answers(one: _Translation, grate: Any, number: int) -> list[Json] | None:
    return one.gives(grate.value) if number == 102 else None


def _fails(one: _Translation, grate: Any, number: int) -> list[Json] | None:
    del grate
    return [] if number == 102 else one.counts() if number == 104 else None


def _names(one: _Translation, grate: Any, number: int) -> list[Json] | None:
    # An id of a cage, if it is positive: this grate is a cage before those of the script.
    return one.passes(number, grate.value + (grate.value > 0)) if number == _CLONE else None


def _leaves(one: _Translation, grate: Any, number: int) -> list[Json] | None:
    return one.counts(grate.nth) if number == 102 else None


#: Grates of statements -> what they do in a call.
_FUNCTIONS: Mapping[type, Callable[[_Translation, Any, int], list[Json] | None]] = {
    Pass: lambda one, _, number: one.passes(number),
    PassInWasm: lambda one, _, number: one.passes(number),
    Deny: _denies,
    Answers: _answers,
    Fails: _fails,
    Names: _names,
    Leaves: _leaves,
}
