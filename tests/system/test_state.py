"""The whole system is one value (STATE-1): it freezes, thaws, compares, saves and goes on as if nothing had been."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import FORK, GUESTS, Recorder, World, program, world

import lindref
from lindref.posix import console
from lindref.state.codec import decode, digest, encode, same
from lindref.system import state as states
from lindref.system.boot import boot
from lindref.system.choices import Seeded
from lindref.system.events import Enter, Event
from lindref.system.state import SystemState
from lindref.system.system import System

NAMES = sorted(path.parent.name for path in GUESTS.glob("*/expected.json"))


def real(name: str, seed: int | None = None) -> World:
    """A guest of the conformance suite, about to run."""
    folder = GUESTS / name
    expected = json.loads((folder / "expected.json").read_text())
    argv = expected["argv"]
    recorders: list[Recorder] = []
    system = boot(
        argv[0],
        argv[1:],
        root=folder,
        env=expected.get("env"),
        chooser=None if seed is None else Seeded(seed),
        observe=lambda made: recorders.append(Recorder(made)),
    )
    console.feed_stdin(system.kernel, expected.get("stdin", "").encode())
    console.end_stdin(system.kernel)
    return World(system, recorders[0])


def whole(name: str, seed: int | None) -> tuple[list[Event], System]:
    """A run from beginning to end without a stop."""
    run = real(name, seed)
    run.run()
    return run.recorder.events, run.system


def continued(state: SystemState, answers: object) -> tuple[list[Event], System]:
    """The rest of a run, from a state alone."""
    system = states.thaw(state, chooser=answers)  # type: ignore[arg-type]
    recorder = Recorder(system)
    system.run()
    return recorder.events, system


@pytest.mark.parametrize("name", NAMES)
def test_state_1_from_any_point_a_run_goes_on_alike(name: str) -> None:
    """STATE-1: at random turns of a real run, freeze, encode, decode, thaw: the rest of the events is the same."""
    dice = random.Random(f"state/{name}")
    for seed in (None, 7):
        expected, ended = whole(name, seed)
        run = real(name, seed)
        states_at: list[tuple[int, SystemState]] = []
        turns = 0
        while run.system.step():
            turns += 1
            if dice.random() < 0.05 or turns in (1, 2):
                states_at.append((len(run.recorder.events), states.freeze(run.system)))
        assert run.recorder.events == expected, "freezing disturbs a run"
        dice.shuffle(states_at)
        for seen, state in states_at[:4]:
            chooser = None if seed is None else Seeded(seed)
            back = decode(encode(state))
            assert isinstance(back, SystemState)
            assert same(back, state)
            rest, system = continued(back, chooser)
            assert rest == expected[seen:]
            assert system.outcome == ended.outcome
            assert same(states.freeze(system), states.freeze(run.system))
            twice, _ = continued(state, chooser)
            assert twice == rest, "a state that was thawed once is another"


@given(st.integers(0, 1 << 32), st.data())
def test_states_of_two_equal_runs_are_equal_and_others_are_not(seed: int, data: st.DataObject) -> None:
    stop = data.draw(st.integers(1, 60))
    found = []
    for _ in range(2):
        run = real("grate_redirect", seed)
        for _ in range(stop):
            run.system.step()
        found.append(states.freeze(run.system))
    assert digest(found[0]) == digest(found[1])
    assert encode(found[0]) == encode(found[1])
    if run.system.step():
        assert digest(states.freeze(run.system)) != digest(found[0])


def test_what_did_not_change_is_shared() -> None:
    """Two freezes with nothing between are the same parts; with one turn between, the other cages' parts are."""
    run = real("grate_redirect")
    for _ in range(30):
        run.system.step()
    first, second = states.freeze(run.system), states.freeze(run.system)
    for cage in first.memories:
        assert first.memories[cage] is second.memories[cage]
    for key in first.threads:
        assert first.threads[key] is second.threads[key]
    run.system.step()
    third = states.freeze(run.system)
    moved = [key for key in third.threads if third.threads[key] is not first.threads.get(key)]
    assert len(moved) <= 2


def test_freezing_takes_time_in_proportion_to_what_changed() -> None:
    """With 8 MiB touched, a freeze after one more write copies a page, not the memory."""
    start = """(local $a i32)
      (drop (call $call (i32.const 9) (i64.const 0x100000) (i64.const 0x800000) (i64.const 3) (i64.const 0x32)
        (i64.const -1) (i64.const 0)))
      (loop $touch (i32.store (i32.add (i32.const 0x100000) (local.get $a)) (i32.const 7))
        (local.set $a (i32.add (local.get $a) (i32.const 4096)))
        (br_if $touch (i32.lt_u (local.get $a) (i32.const 0x800000))))
      (loop $go (drop (call $call0 (i32.const 39))) (i32.store (i32.const 0x100000) (local.get $a)) (br $go))"""
    run = world(program(start))
    while sum(e.name == "getpid" for e in run.recorder.of(Enter)) < 3:
        run.system.step()
    states.freeze(run.system)
    before = states.freeze(run.system)
    run.system.step()
    after = states.freeze(run.system)
    changed = list(after.memories[1].pages.changed(before.memories[1].pages))
    assert len(changed) <= 2
    assert len(after.memories[1].pages) >= 2048


def test_a_fork_is_the_same_value_twice() -> None:
    """FORK-3: right after fork the child's pages are the parent's."""
    forever = "(loop (drop (call $call0 (i32.const 24))) (br 0))"
    run = world(program(f"(i32.store (i32.const 0x700) (i32.const 5)) (drop {FORK}) {forever}"))
    while len(run.system.memories) < 2:
        run.system.step()
    state = states.freeze(run.system)
    one, two = state.memories[1].pages, state.memories[2].pages
    assert len(list(one.changed(two))) <= 2
    assert same(one[0], two[0])


def test_saved_and_resumed_in_another_process(tmp_path: Path) -> None:
    """STATE-1: a state on disk goes on in a Python process of its own, to the same end by the same way."""
    expected, _ = whole("grate_stacked", None)
    run = real("grate_stacked")
    for _ in range(40):
        run.system.step()
    seen = len(run.recorder.events)
    states.save(tmp_path / "s", states.freeze(run.system))
    code = """
import sys
from lindref.posix import console
from lindref.system import state
system = state.thaw(state.load(sys.argv[1]))
class Events:
    def on_event(self, event): print(event)
system.observers.append(Events())
status = system.run().status
print(status, console.output(system.kernel, console.STDOUT))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "s"], capture_output=True, text=True, check=True,
        cwd=Path(lindref.__file__).parents[1],
    )  # fmt: skip
    run.run()
    lines = done.stdout.splitlines()
    assert lines[:-1] == [str(event) for event in expected[seen:]]
    assert lines[-1] == f"{run.system.outcome and run.system.outcome.status} {run.out}"


def test_back_and_forth() -> None:
    """``step`` and ``back`` are inverse; after going back the run takes the same way again."""
    folder = GUESTS / "grate_redirect"
    argv = json.loads((folder / "expected.json").read_text())["argv"]
    system = lindref.boot(argv[0], argv[1:], root=folder)
    marks = []
    for _ in range(25):
        marks.append((digest(system.snapshot()), len(system.trace)))
        system.step()
    forwards = system.trace
    for mark, events in reversed(marks):
        assert system.back()
        assert digest(system.snapshot()) == mark
        assert len(system.trace) == events
    assert not system.back()
    for _ in range(25):
        system.step()
    assert system.trace == forwards


def test_a_file_that_is_no_state_is_one_line(tmp_path: Path) -> None:
    from lindref.state.errors import StateError
    from lindref.state.saved import save

    save(tmp_path / "other", "system", (1, 2))
    for path in (tmp_path / "other", tmp_path / "absent"):
        with pytest.raises(StateError) as caught:
            states.load(path)
        assert "\n" not in str(caught.value) and str(path) in str(caught.value)
