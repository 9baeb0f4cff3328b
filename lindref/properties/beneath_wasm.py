"""A script beneath grates in wasm: the steps that start them before its own, and what is seen without those."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lindref import classes
from lindref.posix.usermem import model_base
from lindref.properties.programs import execs, module
from lindref.properties.strategies import Pass, registers
from lindref.system.script_runner import CallStep, Pointer, ResultOf, StoreStep

READ, CLOSE, READV, PIPE, DUP2, GETPID, CLONE, WAIT, GETPPID, EXIT_GROUP = 0, 3, 19, 22, 33, 39, 56, 61, 110, 231
#: Calls whose result is the id of a cage.
_CAGES = frozenset({GETPID, CLONE, WAIT, GETPPID})
PATH = "/pass"
_PAIRS = "".join(f"(param $v{place} i64) (param $c{place} i64) " for place in range(6))
_GIVEN = " ".join(f"(local.get $v{place}) (local.get $c{place})" for place in range(6))
#: Function n makes call n again for whom it came from. The program says by descriptor 6 that it is there, waits for
#: what is beneath it, and ends as that did.
GRATE = f"""
(func (export "pass_fptr_to_wt") (param $function i64) (param $own i64) {_PAIRS} (result i32)
  (call $raw (i32.wrap_i64 (local.get $function)) (i64.const 0) (local.get $own) (local.get $c0) {_GIVEN}))
(func (export "_start")
  (call $call (i32.const 1) (i64.const 6) (i64.const 0) (i64.const 1))
  (call $call (i32.const 61) (i64.const -1) (i64.const 512) (i64.const 0))
  (call $call (i32.const 231) (i64.load8_u (i32.const 513)) (i64.const 0) (i64.const 0)))"""


class PassInWasm(Pass):
    """Passes every call on, as a grate in wasm where the implementation can; those are closest to the script."""


def files() -> dict[str, bytes]:
    """What is to be in the root."""
    return {PATH: module(GRATE)}


def _calls(steps: Iterable[Any]) -> set[int]:
    """The numbers of the calls of a script and of its children."""
    found = set()
    for step in steps:
        if isinstance(step, CallStep):
            found |= {step.number} | _calls(step.child or ())
    return found


def _later(steps: Iterable[Any], by: int) -> tuple[Any, ...]:
    """Steps that come ``by`` places later."""
    moved = []
    for step in steps:
        if isinstance(step, CallStep):
            args = tuple(classes.evolve(a, step=a.step + by) if isinstance(a, ResultOf) else a for a in step.args)
            child = None if step.child is None else _later(step.child, by)
            step = CallStep(step.number, args, step.caller, step.target, step.cages, child)
        moved.append(step)
    return tuple(moved)


def beneath(steps: tuple[Any, ...], count: int) -> tuple[tuple[Any, ...], int]:
    """The steps of cage 1 that start ``count`` grates, each the parent of the next one, the last that of the script;
    and how many calls the script's own cage makes before it begins."""
    numbers = sorted(_calls(steps) | {EXIT_GROUP, CLOSE})
    before = len(numbers) + 6
    does = _later(steps, count * (3 + before + 1))
    for grate in range(count, 0, -1):
        cage = grate + 1
        # The rows name the parent before it execs, which a child may do; from then on only these two calls are free.
        rows = tuple(registers(cage, number, grate, number, caller=grate) for number in numbers)
        place = (model_base(cage) + 600).to_bytes(8, "little") + (1).to_bytes(8, "little")
        meets = (CallStep(DUP2, (3, 4)), StoreStep(608, place), CallStep(READV, (5, Pointer(608), 1)))
        closes = tuple(CallStep(CLOSE, (fd,)) for fd in (3, 4, 5, 6))
        fork = CallStep(CLONE, (Pointer(64),), child=(*rows, *meets, *closes, *does))
        pipes = (CallStep(PIPE, (Pointer(640),)), CallStep(PIPE, (Pointer(648),)))
        does = (*pipes, fork, CallStep(CLOSE, (4,)), CallStep(READ, (3, Pointer(600), 1)), *execs(grate, PATH))
    return does, before


def without(calls: Sequence[Any], count: int, before: int, python: range) -> tuple[Any, ...]:
    """Calls (``runs.Made``) of a run beneath ``count`` grates without the first ``before`` of the script's own cage,
    and with the ids of cages that it has without: the grates come after those in Python."""

    def cage(number: int) -> int:
        if number <= 0 or number >= python.start:
            return number
        return number - count if number > count else python.stop + number - 1

    found, left = [], before
    for made in calls:
        if made.cage == count + 1 and left:
            left -= 1
            continue
        result, handler = made.result, made.handler
        if made.number in _CAGES and result is not None and made.cage > count:
            result = max(result - count, 1) if 0 < result < python.start else result
        handler = None if handler is None else cage(handler)
        ids = {"cage": cage(made.cage), "target": cage(made.target), "handler": handler}
        found.append(classes.evolve(made, result=result, **ids))
    return tuple(found)
