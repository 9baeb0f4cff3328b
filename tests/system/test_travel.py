"""Going back and forth along a run: the same from every side, within bounds, and off into branches."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scenes import FORK, GUESTS, CallStep, exits, fork, program, scripted

import lindref
from lindref.posix import console
from lindref.state.codec import digest
from lindref.state.records import replace
from lindref.system.events import Choice, Enter, Event, Exit, Signal
from lindref.system.session import System
from lindref.system.snapshots import Snapshots
from lindref.trace.strace import Strace

ANY = (1 << 64) - 1


def guest(name: str, **options: Any) -> System:
    """A guest about to run."""
    folder = GUESTS / name
    argv = json.loads((folder / "expected.json").read_text()).get("argv", ["main.wasm"])
    return lindref.boot(argv[0], argv[1:], root=folder, **options)


def booted(tmp_path: Any, image: bytes, **options: Any) -> System:
    """A program about to run."""
    (tmp_path / "p.wasm").write_bytes(image)
    return lindref.boot("p.wasm", root=tmp_path, **options)


def marks(system: System) -> list[tuple[bytes, int]]:
    """State and position after each turn of the whole run; one stands at its end."""
    out = [(digest(system.snapshot()), system.position)]
    while True:
        going = system.step()
        out.append((digest(system.snapshot()), system.position))
        if not going:
            return out


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_place_is_the_same_whatever_way_leads_there(data: st.DataObject) -> None:
    """TRAVEL-1, TRAVEL-2: random walks over grates, forks and execs, with few and with many states kept."""
    name = data.draw(st.sampled_from(["grate_redirect", "grate_stacked", "grate_fork_exec"]))
    known = marks(guest(name))
    system = guest(name)
    fine = data.draw(st.sampled_from([1, 300, 2_000, 10**9]))
    system._snapshots = Snapshots(fine=fine, ratio=data.draw(st.sampled_from([2, 200])))
    events = known[-1][1]
    for _ in range(8):
        match data.draw(st.sampled_from(["step", "back", "goto", "turn", "end", "keep"])):
            case "step":
                system.step()
            case "back":
                before = system.turn
                assert system.back() == (before > 0)
                assert system.turn == max(before - 1, 0)
            case "goto":
                n = data.draw(st.integers(0, events))
                assert system.goto(n)
                first = next(i for i, (_, position) in enumerate(known) if position >= n)
                assert system.turn == (first if n > known[0][1] else 0)
            case "turn":
                assert system.goto_turn(data.draw(st.integers(0, len(known) - 1)))
            case "end":
                assert not system.goto(events + 1) and system.outcome is not None
            case "keep":
                assert digest(system.branch().snapshot()) == known[system.turn][0]
        assert (digest(system.snapshot()), system.position) == known[system.turn]
        assert [e.n for e in system.trace] == list(range(1, system.position + 1))


def test_events_are_told_once_and_output_is_written_once() -> None:
    """TRAVEL-2."""
    system = guest("grate_stacked")
    told: list[Event] = []
    written: list[bytes] = []

    class Watcher:
        def on_event(self, event: Event) -> None:
            told.append(event)

    seen = len(system.trace)
    system.engine.observers.append(Watcher())
    system.engine.kernel.outside.wrote = lambda _stream, data: written.append(data)
    system.run()
    for place in (5, 60, 20, 0, system.position):
        system.goto(place)
    system.goto(10)
    system.run()
    assert [e.n for e in told] == list(range(seen + 1, system.position + 1))
    assert b"".join(written) == system.stdout


def test_searches_in_both_directions() -> None:
    system = guest("grate_redirect")
    opened = system.run_until(call="open", cage=2)
    assert isinstance(opened, Enter) and opened.name == "open" and opened.cage == 2
    assert system.event_at(opened.n) == opened and system.position >= opened.n
    ended = system.run_until(event="end")
    assert ended is not None and ended.kind == "end"
    assert system.back_until(call="open", cage=2) == opened
    assert system.position >= opened.n
    assert system.back_until(lambda e: e.cage == 99) is None and system.turn == 0
    assert system.run_until(event=7) == system.event_at(7)
    assert system.run_until(call="no such call") is None and system.outcome is not None


def test_the_last_call_on_a_descriptor() -> None:
    calls = (CallStep(22, (0x100 + (1 << 44) + (1 << 33),)), CallStep(3, (3,)), CallStep(72, (4, 1, 0)), CallStep(39))
    run = scripted(*calls, exits(0))
    system = System(run.system)
    system.run()
    last = system.last_call(4, 1)
    assert last is not None and last.name == "fcntl"
    closed = system.last_call(3, 1)
    assert closed is not None and closed.name == "close"
    assert system.last_call(77, 1) is None and system.last_call(4, 2) is None
    system.goto(closed.n - 1)
    assert system.last_call(3, 1) is None


WRITES = f"""(local $i i32)
  (i32.store (i32.const 0x4000) (i32.const 7))
  (loop (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (drop (call $call0 (i32.const 39))) (i32.store (i32.const 0x5000) (local.get $i))
    (br_if 0 (i32.lt_u (local.get $i) (i32.const 60))))
  (if (i32.eqz {FORK}) (then (i32.store (i32.const 0x4000) (i32.const 8)) (call $exit (i64.const 0))))
  (drop (call $call3 (i32.const 61) (i64.const -1) (i64.const 0) (i64.const 0)))
  (call $exit (i64.const 0))"""


@pytest.mark.parametrize("fine", [1, 500, 10**9])
def test_the_last_write_of_a_place(tmp_path: Any, fine: int) -> None:
    """TRAVEL-5: against the states of every turn."""
    system = booted(tmp_path, program(WRITES))
    system._snapshots = Snapshots(fine=fine)
    history: dict[tuple[int, int], list[tuple[int, bytes]]] = {}
    while True:
        for cage, memory in system.engine.memories.items():
            for address in (0x4000, 0x5000, 0x6000):
                data = memory.try_read(address, 4)
                seen = history.setdefault((cage, address), [])
                if data is not None and (not seen or seen[-1][1] != data):
                    seen.append((system.turn, data))
        if system.outcome is not None or system.turn > 300:
            break
        if system.position and isinstance(system.event_at(system.position), Exit) and len(system.engine.memories) > 1:
            break
        system.step()
    here = system.turn
    for (cage, address), seen in history.items():
        found = system.last_write(address, cage, 4)
        if cage not in system.engine.memories or len(seen) < 2:
            continue
        assert found is not None and (found.turn, found.after) == seen[-1]
        assert found.before == seen[-2][1] and found.cage == cage
    assert system.turn == here


def test_a_call_that_fails_instead() -> None:
    """TRAVEL-4: what if open had failed?"""
    system = guest("grate_redirect")
    system.run()
    opened = next(e for e in system.trace if isinstance(e, Enter) and e.name == "open" and e.cage == 2)
    other = system.branch(call=opened.call, errno="EIO")
    assert other.position < opened.n and other.trace == system.trace[: other.position]
    other.run()
    answer = next(e for e in other.trace if isinstance(e, Exit) and e.call == opened.call)
    assert answer.result == -5 and other.stdout != system.stdout
    parted = system.divergence(other)
    assert parted is not None and parted[0] is not None and parted[0].n > opened.n and parted[1] == answer
    assert system.branch().divergence(system) is None
    # The branch, too, is a line to go along.
    end = digest(other.snapshot())
    other.goto(opened.n)
    other.run()
    assert digest(other.snapshot()) == end
    lines: list[str] = []
    third = system.branch(call=opened.call, errno=5)
    third.engine.observers.append(Strace(third.engine, lines.append))
    third.run()
    assert any("open" in line and "EIO (Input/output error)" in line for line in lines)


def race() -> System:
    """Two cages that write a letter each; the order is the scheduler's."""
    from lindref.system.script_runner import Pointer, StoreStep

    child = (StoreStep(0x200, b"b"), CallStep(1, (1, Pointer(0x200), 1)), exits(0))
    steps = (fork(child), StoreStep(0x200, b"a"), CallStep(1, (1, Pointer(0x200), 1)))
    return System(scripted(*steps, CallStep(61, (ANY, 0, 0, 0)), exits(0)).system)


def test_another_thread_goes_first() -> None:
    """TRAVEL-4: every choice answered otherwise; the schedule of a branch replays it."""
    system = race()
    system.run()
    before = console.output(system.engine.kernel, 1)
    choices = [e for e in system._events if isinstance(e, Choice)]
    assert choices
    outputs = set()
    for choice in choices:
        other = system.branch(choice=choice.index, answer=(choice.answer + 1) % choice.options)
        other.run()
        outputs.add(other.stdout)
        assert system.divergence(other) is not None
        assert system.branch(choice=choice.index, answer=choice.answer).run() == system.exit_status
    assert len(outputs | {before}) > 1
    assert console.output(system.engine.kernel, 1) == before


def test_what_cannot_be_branched_at_is_said() -> None:
    system = guest("hello")
    system.run()
    with pytest.raises(ValueError, match="call 999 was not seen"):
        system.branch(call=999)
    with pytest.raises(ValueError, match="EWHAT"):
        system.branch(call=2, errno="EWHAT")
    with pytest.raises(ValueError, match="choice point 50 was not seen"):
        system.branch(choice=50)


def test_an_execs_image_belongs_to_its_branch() -> None:
    """Two branches load what they load; the state of each is that of a run that never knew the other."""
    system = guest("grate_fork_exec")
    known = marks(system)
    calls = [e for e in system.trace if isinstance(e, Enter) and e.name == "execve"]
    other = system.branch(call=calls[-1].call, errno="ENOENT")
    other.run()
    system.goto(0)
    for turn, (state, _) in enumerate(known):
        assert system.goto_turn(turn) and digest(system.snapshot()) == state


SPIN = """(local $i i32)
  (loop (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (i32.store (i32.add (i32.const 0x4000) (i32.shl (i32.and (local.get $i) (i32.const 7)) (i32.const 12)))
      (local.get $i))
    (drop (call $call0 (i32.const 39)))
    (br_if 0 (i32.lt_u (local.get $i) (i32.const 2000))))
  (call $exit (i64.const 0))"""


def test_states_are_few_and_near() -> None:
    """TRAVEL-3: how many grows with the logarithm of the length; none is farther than its distance allows."""
    kept = Snapshots(fine=10, ratio=20)
    system = guest("hello")
    states = system.snapshot()

    for turn in range(4000):
        at = replace(states, counters=replace(states.counters, ticks=turn * 10, events=0))
        if kept.due(turn, turn * 10):
            kept.keep(turn, at)
    kept.thin(40_000)
    assert len(kept) < 400
    for turn in range(0, 4000, 37):
        found = kept.nearest(turn)
        assert found.turn <= turn and (turn - found.turn) * 10 <= max(20, (40_000 - found.cost) // 20 + 10)


def test_states_take_no_more_memory_than_allowed(tmp_path: Any) -> None:
    """TRAVEL-3: a program that writes much; every place can be reached all the same."""
    system = booted(tmp_path, program(SPIN), most_bytes=2 << 20)
    system._snapshots._fine = 1
    system.run()
    system._snapshots.thin(10**9)
    assert system._snapshots.size <= 2 << 20
    end = digest(system.snapshot())
    system.goto(system.position // 2)
    assert system.position >= 3000
    system.run()
    assert digest(system.snapshot()) == end


def test_signals_and_their_handlers() -> None:
    """Back over a handler's frames and the call that it interrupted."""
    from scenes import module

    image = module("""
      (func (export "signal_callback") (param i32 i32) (drop (call $call0 (i32.const 39))))
      (data (i32.const 0x100) "\\05\\00\\00\\00")
      (func (export "_start")
        (drop (call $call3 (i32.const 13) (i64.const 10) (call $at (i32.const 0x100)) (i64.const 0)))
        (drop (call $call3 (i32.const 62) (i64.const 1) (i64.const 10) (i64.const 0)))
        (drop (call $call0 (i32.const 102))) (call $exit (i64.const 3)))""")
    from scenes import world

    system = System(world(image).system)
    known = marks(system)
    assert any(isinstance(e, Signal) and e.action == "handler" for e in system._events)
    for turn in reversed(range(len(known))):
        assert system.turn == turn and digest(system.snapshot()) == known[turn][0]
        assert system.back() == (turn > 0)


def test_restore_begins_anew() -> None:
    """A state put back by hand is where one can go back to."""
    system = guest("grate_redirect")
    system.goto(20)
    state = system.snapshot()
    position = system.position
    system.run()
    system.restore(state)
    assert system.position == position and len(system.trace) == position
    system.step()
    assert system.back() and not system.back()
    assert digest(system.snapshot()) == digest(state)
    other = guest("grate_redirect")
    other.restore(state)
    other.run()
    assert other.outcome is not None and other.trace[0].n == position + 1
