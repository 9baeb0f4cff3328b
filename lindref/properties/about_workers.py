"""Statements about the workers of a grate in wasm (3i.md 9, 26 to 28)."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from hypothesis import strategies as st

from lindref.properties.programs import execs, module
from lindref.properties.runs import Made, Runs, Seen
from lindref.properties.statements import states
from lindref.properties.strategies import registers, schedules
from lindref.system.script_runner import CallStep, Pointer

READ, WRITE, PIPE, CLONE, WAIT, GETUID, GETGID, EXIT_GROUP = 0, 1, 22, 56, 61, 102, 104, 231
_WAIT = CallStep(WAIT, ((1 << 64) - 1, 0, 0))
_END = CallStep(EXIT_GROUP, (0,))
_PATH = "/grate"
#: Bytes of stack that each worker has.
_STACK = 8 << 20

#: Function 0 counts in memory and in a global, takes as much of its stack as its first argument says (and never gives
#: it back), lets others run, and gives where the stack began; function 1 gives the count. The program tells descriptor
#: 6 that it is there, waits for descriptor 3, and writes the count.
_GRATE = f"""
(func (export "pass_fptr_to_wt") (param $function i64) (param $own i64) (param $takes i64) {"(param i64)" * 11}
  (result i32) (local $top i32)
  (if (i64.eq (local.get $function) (i64.const 1)) (then (return (i32.load (i32.const 256)))))
  (local.set $top (global.get $sp))
  (global.set $sp (i32.sub (global.get $sp) (i32.wrap_i64 (local.get $takes))))
  (i32.store (i32.const 256) (i32.add (i32.load (i32.const 256)) (i32.const 1)))
  (call $call (i32.const 24) (i64.const 0) (i64.const 0) (i64.const 0))
  (call $call (i32.const 24) (i64.const 0) (i64.const 0) (i64.const 0))
  (local.get $top))
(func (export "_start")
  (call $call (i32.const 1) (i64.const 6) (i64.const 0) (i64.const 1))
  (call $call (i32.const 0) (i64.const 3) (i64.const 512) (i64.const 1))
  (call $call (i32.const 1) (i64.const 1) (i64.const 256) (i64.const 4))
  (call $call (i32.const 231) (i64.const 0) (i64.const 0) (i64.const 0)))"""


def _served(runs: Runs, data: Any) -> tuple[Seen, list[Made], int]:
    """A run with calls of several cages that one grate's function 0 serves: those calls, and how many there are."""
    workers, callers = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 4))
    takes = data.draw(st.lists(st.integers(0, _STACK), min_size=1, max_size=3))
    forks = []
    for _ in range(callers):
        child = (*[CallStep(GETUID, (bytes_,)) for bytes_ in takes], CallStep(GETGID), _END)
        forks.append(CallStep(CLONE, (Pointer(64),), child=child))
    steps = (
        CallStep(PIPE, (Pointer(640),)),
        CallStep(PIPE, (Pointer(648),)),
        CallStep(CLONE, (Pointer(64),), child=execs(2, _PATH)),
        CallStep(READ, (5, Pointer(600), 1)),
        registers(1, GETUID, 2, 0),
        registers(1, GETGID, 2, 1),
        *forks,
        *[_WAIT] * callers,
        CallStep(WRITE, (4, Pointer(0), 1)),
        _WAIT,
        _END,
    )
    seen = runs.run(steps, (), data.draw(schedules(60)), workers, files={_PATH: module(_GRATE)})
    calls = [made for made in seen.calls if made.number == GETUID]
    assert all(made.result is not None and made.result > 0 for made in calls)
    return seen, calls, callers * len(takes)


@states("26", "runs", "functions of one grate that run at the same time have stacks of their own", "order")
def _(runs: Runs, data: Any) -> None:
    seen, calls, _ = _served(runs, data)
    # A function runs at least from its first call of its own to its end.
    begins = {made.within: made.begun for made in reversed(seen.calls)}
    spans = [(begins[made.call], made.ended, made.result or 0) for made in calls]
    for (begin, end, top), (other_begin, other_end, other) in combinations(spans, 2):
        if begin < other_end and other_begin < end:
            assert abs(top - other) >= _STACK


@states("27", "runs", "a worker's stack begins where it always did, whatever the call before did with it", "routes")
def _(runs: Runs, data: Any) -> None:
    _, calls, _ = _served(runs, data)
    tops = sorted({made.result or 0 for made in calls})
    assert all((top - tops[0]) % (_STACK + 4096) == 0 for top in tops)


@states("28", "runs", "what a function writes to its grate's memory, the next one sees, and its program", "routes")
def _(runs: Runs, data: Any) -> None:
    seen, calls, count = _served(runs, data)
    assert len(calls) == count
    assert seen.stdout == count.to_bytes(4, "little")
    asked = [made.result or 0 for made in seen.calls if made.number == GETGID]
    assert asked
    assert max(asked) == count
