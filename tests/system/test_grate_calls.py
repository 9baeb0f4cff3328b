"""Calls into grates, as the system makes them: 3I-GRATE-*, and how grates and their callers end."""

from __future__ import annotations

from typing import Any

import pytest
from grate_scenes import (
    CLONE,
    EXIT,
    EXIT_GROUP,
    GETEUID,
    GETPPID,
    GETUID,
    OPEN,
    PIPE,
    READ,
    WAIT,
    WAIT_FOR_CHILD,
    WAITS,
    WAKES_LATER,
    WRITE,
    YIELD,
    forward,
    handler_of,
    of,
    of_all,
    register,
    rules,
    under,
    wasm_grate,
)
from hypothesis import given
from hypothesis import strategies as st
from scenes import FORK, CallStep, exits, fork, program, scripted, world

from lindref.posix.errno import ESRCH
from lindref.profile import LIND, SPEC, Profile
from lindref.system.choices import Seeded
from lindref.system.events import End, Enter, Exit, Note, Route
from lindref.system.runtime import Config
from lindref.system.script_runner import Pointer, ReturnStep, StoreStep
from lindref.system.threads import InGrate
from lindref.threei.numbers import ThreeIError

# The call of a handler.

#: A grate whose entry writes its fourteen arguments to standard output and gives the first back.
ECHO = """
(func (export "pass_fptr_to_wt") {params} (result i32)
  {stores}
  (call $write (i32.const 1) (i32.const 0x400) (i32.const 112))
  (i32.wrap_i64 (local.get 0)))
""".format(
    params="(param i64)" * 14,
    stores="".join(f"(i64.store (i32.const {0x400 + 8 * i}) (local.get {i}))" for i in range(14)),
)
def test_grate_1_what_a_handler_gets() -> None:
    """3I-GRATE-1: the function, the grate's own id, the six pairs as sent, bit 63 of the cage ids cleared."""
    pairs = "".join(f"(i64.const {100 + i}) (i64.const {(i << 32 | 7) - (i % 2 << 63)})" for i in range(6))
    made = f"(drop (call $raw (i32.const {GETEUID}) (i64.const 0) (i64.const 2) (i64.const 2) {pairs}))"
    run = wasm_grate(f"(call $register (i64.const {GETEUID}) (i64.const 77)) {made}", ECHO)
    assert run.run() == 0
    got = [int.from_bytes(run.out[i : i + 8], "little") for i in range(0, 112, 8)]
    assert got[:2] == [77, 1]
    assert got[2:] == [n for i in range(6) for n in (100 + i, i << 32 | 7)]
    assert of(run, 2, GETEUID) == [77]


@given(st.integers(-(1 << 31), (1 << 31) - 1))
def test_grate_2_results_are_unchanged(value: int) -> None:
    """3I-GRATE-2: any i32 reaches the raw caller."""
    run = under(((ReturnStep(value),),), CallStep(GETEUID))
    assert run.run() == 0
    assert of(run, 2, GETEUID) == [value]
    assert rules(run, GETEUID) == ["3I-GRATE-2"]


def test_grate_3_a_trap_is_told_and_the_grate_goes_on() -> None:
    """3I-GRATE-3: the caller of a handler that traps, or of a function that is not there, gets -536805379."""
    traps = (StoreStep(1 << 31, b"x"),)
    steps = (
        CallStep(GETEUID),
        register(2, GETUID, 1, 1),
        CallStep(GETUID),
        CallStep(GETEUID),
        register(2, GETEUID, 1, 9),
        CallStep(GETEUID),
        CallStep(GETUID),
    )
    run = under((traps, (ReturnStep(5),)), *steps)
    assert run.run() == 0
    bad = ThreeIError.GRATE_ERROR
    assert bad == -536805379
    assert of(run, 2, GETEUID, GETUID) == [bad, 5, bad, bad, 5]
    assert any("trap: out of bounds memory access" in note.text for note in run.recorder.of(Note))


@pytest.mark.parametrize(
    ("entry", "result"),
    [
        ("", ThreeIError.GRATE_ERROR),
        ('(func (export "pass_fptr_to_wt") (param i64) (result i32) (i32.const 1))', ThreeIError.GRATE_ERROR),
        (f'(func (export "pass_fptr_to_wt") {"(param i64)" * 14} (result i32) unreachable)', ThreeIError.GRATE_ERROR),
        (f'(func (export "pass_fptr_to_wt") {"(param i64)" * 14} (result i32) (i32.const 3))', 3),
    ],
)
def test_grate_3_the_entry(entry: str, result: int) -> None:
    """3I-GRATE-3: no entry, one of another shape, one that traps; the second call fares as the first."""
    twice = f"(drop (call $call0 (i32.const {GETEUID})))" * 2
    run = wasm_grate(f"(call $register (i64.const {GETEUID}) (i64.const 0)) {twice}", entry)
    assert run.run() == 0
    assert of(run, 2, GETEUID) == [result, result]


@given(children=st.integers(1, 5), workers=st.integers(1, 4), seed=st.integers(0, 99))
def test_grate_4_workers_are_limited_and_the_queue_is_fair(children: int, workers: int, seed: int) -> None:
    """3I-GRATE-4: never more than N handlers at once, the rest in order of arrival, and none is lost."""
    handler = (CallStep(READ, (3, Pointer(1024), 1)), ReturnStep(1))
    steps: list[Any] = [StoreStep(256, (2).to_bytes(16, "little")), CallStep(PIPE, (Pointer(512),))]
    for cage in range(2, 2 + children):
        steps.append(fork((register(cage, GETEUID, 1, 0), CallStep(GETEUID), exits(0))))
    steps.append(WAKES_LATER)
    steps += [CallStep(WRITE, (4, Pointer(1024), 1))] * children
    steps += [WAITS] * children + [exits(0)]
    run = scripted(*steps, handlers=(handler,), config=Config(workers=workers), chooser=Seeded(seed))
    begun: list[int] = []
    most = 0
    while run.system.step():
        waits = [t.status for t in run.system.threads.values()]
        inside = [w.pending.id for w in waits if isinstance(w, InGrate)]
        most = max(most, len(inside))
        begun += [call for call in inside if call not in begun]
    assert run.system.outcome is not None
    assert run.system.outcome.status == 0
    assert of_all(run, GETEUID) == [1] * children
    arrived = [e.call for e in run.recorder.of(Route) if e.call in set(begun)]
    assert len(arrived) == children
    assert begun == arrived
    assert most == min(workers, children)


def test_grate_4_a_handler_that_calls_itself_needs_a_worker_more() -> None:
    """3I-GRATE-4: exactly N nested entries, then nothing can go on, and the report says so."""
    again = (CallStep(GETEUID, caller=2, target=2),)
    run = under((again,), CallStep(GETEUID), config=Config(workers=4))
    assert run.run() == 71
    assert len([e for e in run.recorder.of(Enter) if e.number == GETEUID and e.within]) == 4
    assert run.system.outcome is not None
    assert "waiting for a free worker of grate 1" in run.system.outcome.text


#: A grate that writes its stack pointer and its own global's count, moves both, and if asked calls itself once more.
STACKS = f"""
(global $sp (export "__stack_pointer") (mut i32) (i32.const 4096))
(global $own (mut i32) (i32.const 0))
(func (export "pass_fptr_to_wt") {"(param i64)" * 14} (result i32)
  (global.set $own (i32.add (global.get $own) (i32.const 1)))
  (i32.store (i32.const 0x400) (global.get $sp)) (i32.store (i32.const 0x404) (global.get $own))
  (i32.store (i32.const 0x408) (i32.add (i32.load (i32.const 0x408)) (i32.const 1)))
  (call $write (i32.const 1) (i32.const 0x400) (i32.const 12))
  (global.set $sp (i32.sub (global.get $sp) (i32.const 512)))
  (i32.store (global.get $sp) (i32.const -1))
  (if (i64.ne (local.get 2) (i64.const 0)) (then
    (drop (call $raw (i32.const {GETEUID}) (i64.const 0) (i64.const 2) (i64.const 2)
      (i64.sub (local.get 2) (i64.const 1)) {"(i64.const 2)" * 11}))))
  (i32.const 0))
"""


def test_grate_5_each_worker_has_its_stack_and_its_globals() -> None:
    """3I-GRATE-5: the slot's high end is the stack pointer at every call; globals are a worker's, memory is shared."""
    calls = f"(drop (call $call1 (i32.const {GETEUID}) (i64.const 2))) (drop (call $call0 (i32.const {GETEUID})))"
    run = wasm_grate(f"(call $register (i64.const {GETEUID}) (i64.const 0)) {calls}", STACKS)
    assert run.run() == 0
    words = [int.from_bytes(run.out[i : i + 4], "little") for i in range(0, len(run.out), 4)]
    entries = list(zip(words[::3], words[1::3], words[2::3], strict=True))
    slot = 4096 + (8 << 20)
    tops = [65536 + i * slot for i in (1, 2, 3)]
    assert [sp for sp, _, _ in entries[:3]] == tops
    assert [own for _, own, _ in entries] == [1, 1, 1, 2]
    assert [shared for _, _, shared in entries] == [1, 2, 3, 4]
    assert entries[3][0] in tops


@pytest.mark.parametrize(("profile", "stacks"), [(SPEC, [0, 0, 0, 0, 0]), (LIND, [0, 1, 2, 0, 1])])
def test_grate_4_workers_take_turns_as_recorded(profile: Profile, stacks: list[int]) -> None:
    """3I-GRATE-4, deviation GRATE-ROTATION: calls one after the other, three workers; which stack each ran on."""
    tell = f"""
(global $sp (export "__stack_pointer") (mut i32) (i32.const 4096))
(func (export "pass_fptr_to_wt") {"(param i64)" * 14} (result i32) (global.get $sp))"""
    calls = f"(drop (call $call0 (i32.const {GETEUID})))" * 5
    start = f"(call $register (i64.const {GETEUID}) (i64.const 0)) {calls}"
    run = wasm_grate(start, tell, profile=profile, config=Config(workers=3))
    assert run.run() == 0
    slot = 4096 + (8 << 20)
    assert of(run, 2, GETEUID) == [65536 + (number + 1) * slot for number in stacks]


def test_grate_5_the_whole_stack_can_be_used() -> None:
    """3I-GRATE-5: the slot's 8 MiB are mapped, and the deepest word does not touch a neighbour's."""
    deep = f"""
(global $sp (export "__stack_pointer") (mut i32) (i32.const 4096))
(func (export "pass_fptr_to_wt") {"(param i64)" * 14} (result i32)
  (i32.store (i32.sub (global.get $sp) (i32.const {8 << 20})) (i32.const 5))
  (i32.load (i32.sub (global.get $sp) (i32.const {8 << 20}))))
"""
    run = wasm_grate(
        f"(call $register (i64.const {GETEUID}) (i64.const 0)) (drop (call $call0 (i32.const {GETEUID})))", deep
    )
    assert run.run() == 0
    assert of(run, 2, GETEUID) == [5]


@pytest.mark.parametrize("profile", [OPEN, LIND])
def test_grate_6_a_forked_cage_cannot_serve(profile: Profile) -> None:
    """3I-GRATE-6, deviation 3I-FORKED-GRATE."""
    run = scripted(
        StoreStep(256, (1).to_bytes(8, "little")),
        fork((register(1, GETEUID, 2, 0), WAKES_LATER, exits(0))),
        *[CallStep(YIELD)] * 8,
        CallStep(GETEUID),
        exits(3),
        handlers=((ReturnStep(1),),),
        profile=profile,
    )
    status = run.run()
    if profile is LIND:
        assert status == 134
        assert run.system.outcome is not None
        assert "grate handler 2 not found" in run.system.outcome.text
    else:
        assert of(run, 1, GETEUID) == [-ESRCH]
        assert rules(run, GETEUID) == ["3I-GRATE-6"]


def test_grate_6_after_exec_it_can() -> None:
    """3I-GRATE-6: the same cage, once it has exec'd, serves its parent."""
    entry = f'(func (export "pass_fptr_to_wt") {"(param i64)" * 14} (result i32) (i32.const 42))'
    path = '(data (i32.const 0x200) "/grate\\00")'
    second = program(
        f"""(drop (call $raw (i32.const 1001) (i64.const 0) (i64.const 1) (i64.const 1) (i64.const 1)
          (i64.const {GETEUID}) (i64.const 0) (i64.const 2) {"(i64.const 0)" * 8}))
        (drop (call $call3 (i32.const {WRITE}) (i64.const 4) (call $at (i32.const 0)) (i64.const 1)))
        (drop (call $call3 (i32.const {READ}) (i64.const 5) (call $at (i32.const 0)) (i64.const 1)))
        (call $exit (i64.const 0))""",
        entry,
    )
    first = f"""
      (drop (call $call1 (i32.const {PIPE}) (call $at (i32.const 0x500))))
      (drop (call $call1 (i32.const {PIPE}) (call $at (i32.const 0x508))))
      (if (i32.eqz {FORK}) (then
        (drop (call $call3 (i32.const 59) (call $at (i32.const 0x200)) (i64.const 0) (i64.const 0)))))
      (drop (call $call3 (i32.const {READ}) (i64.const 3) (call $at (i32.const 0)) (i64.const 1)))
      (i32.store (i32.const 0x600) (call $call0 (i32.const {GETEUID})))
      (drop (call $call3 (i32.const {WRITE}) (i64.const 6) (call $at (i32.const 0)) (i64.const 1)))
      {WAIT_FOR_CHILD}
      (call $exit (i64.extend_i32_u (i32.load (i32.const 0x600))))"""
    run = world(program(first, path), files={b"/grate": second}, profile=OPEN)
    assert run.run() == 42
    assert handler_of(run, GETEUID) == [2]


@pytest.mark.parametrize(("given", "seen"), [(500, 500), (2, 2), (0, 3), (-5, 3)])
def test_grate_7_fork_through_a_grate(given: int, seen: int) -> None:
    """3I-GRATE-7: a positive result is what the parent sees, else the true id; wait knows the true one."""
    handler = (forward(CLONE), ReturnStep(given))
    run = under((handler,), fork((exits(9),)), CallStep(WAIT, (3, 0, 0)), number=CLONE)
    assert run.run() == 0
    assert of(run, 2, CLONE) == [seen]
    assert of(run, 2, WAIT) == [3]
    assert [e.cage for e in run.recorder.of(End) if e.whole] == [3, 2, 1]


def test_grate_7_a_fork_that_was_refused() -> None:
    """3I-GRATE-7: no child, no other result than the handler's."""
    run = under(((ReturnStep(-11),),), fork((exits(9),)), number=CLONE)
    assert run.run() == 0
    assert of(run, 2, CLONE) == [-11]


# Ends.


@pytest.mark.parametrize("number", [EXIT, EXIT_GROUP])
def test_exit_forwarded_ends_the_caller(number: int) -> None:
    """A handler that forwards exit goes on to its own end; then the caller is gone (EXIT-9)."""
    handler = (forward(number, count=2), CallStep(GETPPID), ReturnStep(0))
    run = under((handler,), CallStep(number, (9,)), number=number)
    assert run.run() == 0
    ends = [(e.cage, e.status) for e in run.recorder.of(End) if e.whole]
    assert ends == [(2, 9), (1, 0)]
    assert of(run, 1, GETPPID) == [1]


def test_exit_swallowed() -> None:
    """A grate may keep its child from ending: exit_group comes back with what the handler says."""
    run = under(((ReturnStep(12),),), CallStep(EXIT_GROUP, (9,)), CallStep(EXIT, (0,)), number=EXIT_GROUP)
    assert run.run() == 0
    assert of(run, 2, EXIT_GROUP) == [12]


@pytest.mark.parametrize("number", [EXIT, EXIT_GROUP])
def test_exit_of_the_grate_itself_in_a_handler(number: int) -> None:
    """EXIT-9, 3I-GRATE-3: the caller of a handler that goes no further is told as of a trap."""
    handler = (CallStep(number, (5,)),)
    run = under((handler,), CallStep(GETEUID), CallStep(GETEUID))
    status = run.run()
    if number == EXIT_GROUP:  # the grate is gone: 3I-EXIT-1 empties the row
        assert status == 5
        assert of(run, 2, GETEUID) == [ThreeIError.GRATE_ERROR, -ESRCH]
    else:  # only the worker's call is over
        assert status == 0
        assert of(run, 2, GETEUID) == [ThreeIError.GRATE_ERROR] * 2


@pytest.mark.parametrize("profile", [SPEC, LIND])
def test_route_3_a_grate_that_dies_before_its_child(profile: Profile) -> None:
    """3I-EXIT-1, 3I-ROUTE-3: the row is there and empty; the next call fails, or ends the real runtime."""
    child = (register(2, GETEUID, 1, 0), WAKES_LATER, CallStep(GETEUID), exits(3))
    run = scripted(
        StoreStep(256, (1).to_bytes(8, "little")),
        fork(child),
        CallStep(YIELD),
        CallStep(YIELD),
        exits(4),
        handlers=((ReturnStep(1),),),
        profile=profile,
    )
    status = run.run()
    if profile is LIND:
        assert status == 134
    else:
        assert status == 4
        assert of(run, 2, GETEUID) == [-ESRCH]
        assert rules(run, GETEUID) == ["3I-ROUTE-3"]


def test_a_grate_that_ends_while_it_serves() -> None:
    """EXIT-9: the call under way is served to its end, and only then the cage is gone."""
    handler = (WAKES_LATER, ReturnStep(8))
    child = (register(2, GETEUID, 1, 0), CallStep(GETEUID), CallStep(GETEUID), exits(3))
    run = scripted(
        StoreStep(256, (1).to_bytes(8, "little")),
        fork(child),
        *[CallStep(YIELD)] * 8,
        exits(4),
        handlers=(handler,),
    )
    assert run.run() == 4
    assert of(run, 2, GETEUID) == [8, -ESRCH]
    order = [e.cage for e in run.recorder.of(End) if e.whole]
    assert order == [1, 2]


def test_a_caller_that_dies_while_it_is_served() -> None:
    """A thread whose cage ends is gone at once; the handler goes on, and its worker serves the next."""
    clone_args = (0x100).to_bytes(40, "little") + (8192).to_bytes(8, "little") + (4096).to_bytes(40, "little")
    child = (
        register(2, GETEUID, 1, 0),
        StoreStep(640, clone_args),
        CallStep(CLONE, (Pointer(640),), child=(CallStep(GETEUID),)),
        *[CallStep(YIELD)] * 8,
        exits(3),
    )
    run = scripted(
        StoreStep(256, (1).to_bytes(8, "little")),
        fork(child),
        WAITS,
        fork((register(3, GETEUID, 1, 1), CallStep(GETEUID), exits(6))),
        WAITS,
        exits(0),
        handlers=((WAKES_LATER, CallStep(GETPPID), ReturnStep(8)), (ReturnStep(9),)),
        config=Config(workers=1),
    )
    assert run.run() == 0
    calls = {e.call: e.cage for e in run.recorder.of(Enter) if e.number == GETEUID}
    assert sorted(calls.values()) == [2, 3]
    assert [(calls[e.call], e.result) for e in run.recorder.of(Exit) if e.call in calls] == [(3, 9)]
    assert of(run, 1, GETPPID) == [1]
    assert [(e.cage, e.status) for e in run.recorder.of(End) if e.whole] == [(2, 3), (3, 6), (1, 0)]


