"""Who runs when: SCHED-*, EVENT-1, SCRIPT-1, and that a run is a function of its inputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import FORK, CallStep, World, exits, fork, program, scripted, world

from lindref.posix.errno import EBADF
from lindref.state.pmap import PMap
from lindref.system.choices import Replay, ScheduleError, Seeded, format_schedule, parse_schedule
from lindref.system.events import Choice, Enter, Event, Exit, Route
from lindref.system.runtime import Config
from lindref.system.schedule import CALL_NS, TICK_NS
from lindref.system.script_runner import Pointer, ReturnStep, StoreStep

ANY = (1 << 64) - 1
YIELD = CallStep(24)
SLEEP = 35

#: Three children write their letter twice each, the parent waits for all: many choice points.
RACE = program(
    f"""(local $i i32)
    (loop $next
      (if (i32.eqz {FORK}) (then
        (i32.store8 (i32.const 0) (i32.add (i32.const 97) (local.get $i)))
        (call $write (i32.const 1) (i32.const 0) (i32.const 1)) (call $write (i32.const 1) (i32.const 0) (i32.const 1))
        (call $exit (i64.const 0))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 3))))
    (loop $reap (br_if $reap (i32.gt_s
      (call $call3 (i32.const 61) (i64.const -1) (i64.const 0) (i64.const 0)) (i32.const 0))))"""
)


def played(chooser: object = None, config: Config | None = None) -> World:
    run = world(RACE, chooser=chooser, config=config)  # type: ignore[arg-type]
    assert run.run() == 0
    assert sorted(run.out) == sorted(b"aabbcc")
    return run


def test_sched_1_no_choice_where_there_is_one_option() -> None:
    """SCHED-1: a single thread has no choice points."""
    run = scripted(YIELD, YIELD, exits(0))
    run.run()
    assert run.recorder.of(Choice) == []
    assert all(e.options > 1 and 0 <= e.answer < e.options for e in played().recorder.of(Choice))


def test_the_same_run_twice_has_the_same_events() -> None:
    assert played().recorder.events == played().recorder.events
    assert played(Seeded(3)).recorder.events == played(Seeded(3)).recorder.events


def test_seeds_reach_different_orders() -> None:
    outs = {played(Seeded(seed)).out for seed in range(12)}
    assert len(outs) > 3


@given(st.integers(0, 1 << 32))
def test_sched_2_the_schedule_string_replays_the_run(seed: int) -> None:
    """SCHED-2: the same trace, event for event, from the answers alone."""
    first = played(Seeded(seed))
    text = first.system.choices.schedule()
    again = played(Replay(parse_schedule(text)))
    assert again.recorder.events == first.recorder.events
    assert again.system.choices.schedule() == text


@given(st.lists(st.integers(0, 5), max_size=40))
def test_schedule_strings_read_back(answers: list[int]) -> None:
    state: PMap[int] = PMap()
    for i, answer in enumerate(answers):
        state = state.set(i, answer) if answer else state
    read = parse_schedule(format_schedule(state, len(answers)))
    assert [*read, *[0] * (len(answers) - len(read))] == answers


@pytest.mark.parametrize("text", ["x", "1,,2", "-1", "3*", "*3", "1;2", "99999999*1,99999999*1", "²"])
def test_a_bad_schedule_is_one_line(text: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_schedule(text)
    assert "\n" not in str(caught.value) and str(caught.value).startswith("schedule: ")


def order(run: World) -> list[int]:
    """Cages in the order of their calls, without repetition."""
    cages = [e.cage for e in run.recorder.of(Enter)]
    return [c for i, c in enumerate(cages) if i == 0 or cages[i - 1] != c]


def test_sched_3_goes_on_with_the_last_until_it_yields_then_round() -> None:
    """SCHED-3: option 0."""
    child = (CallStep(39), CallStep(39), YIELD, CallStep(39), exits(0))
    run = scripted(fork(child), fork(child), CallStep(39), YIELD, CallStep(39), exits(0))
    assert run.run() == 0
    assert order(run) == [1, 2, 3, 1, 2, 3]


def test_sched_3_a_quantum_ends() -> None:
    """SCHED-3: a loop without calls does not keep the others from running."""
    start = f"""(if (i32.eqz {FORK}) (then
        (call $write (i32.const 1) (i32.const 0) (i32.const 1))
        (drop (call $call3 (i32.const 62) (i64.const 1) (i64.const 9) (i64.const 0))) (call $exit (i64.const 0))))
      (loop (br 0))"""
    run = world(program(start), config=Config(quantum=100))
    assert run.run() == 128 + 9


def test_sched_4_a_grate_call_hands_the_processor_over_and_back() -> None:
    """SCHED-4: worker and caller follow each other though another could run."""
    app = (CallStep(107), CallStep(107), exits(0))
    run = scripted(
        fork((CallStep(1001, (2, 0, 0), cages=(107, 1)), *app)),
        *[CallStep(39)] * 2,
        CallStep(61, (ANY, 0, 0, 0)),
        exits(0),
        handlers=((CallStep(104), ReturnStep(5)),),
    )
    assert run.run() == 0
    names = [(e.cage, e.name) for e in run.recorder.of(Enter)]
    for i, entry in enumerate(names):
        if entry == (2, "geteuid"):
            assert names[i + 1] == (1, "getgid") and names[i + 2][0] == 2


def test_sched_5_virtual_time() -> None:
    """SCHED-5: calls and ticks take fixed times; a sleep alone costs nothing but its length."""
    run = scripted(CallStep(39), CallStep(39), exits(0))
    run.run()
    times = [e.time for e in run.recorder.of(Enter)]
    assert times[1] - times[0] == CALL_NS + TICK_NS
    sleep = (StoreStep(0x100, (2).to_bytes(8, "little") + bytes(8)), CallStep(SLEEP, (0, 0, Pointer(0x100), 0)))
    run = scripted(*sleep, exits(0))
    assert run.run() == 0
    asked, back = (next(e.time for e in run.recorder.of(kind)) for kind in (Enter, Exit))
    assert back - asked == 2_000_000_000


def test_sched_5_sleeps_end_in_the_order_of_their_deadlines() -> None:
    """SCHED-5: the clock jumps to the first deadline."""

    def sleeper(ms: int) -> tuple[object, ...]:
        return (CallStep(7, (0, 0, ms)), CallStep(39), exits(0))

    sleepers = [fork(sleeper(ms)) for ms in (30, 10, 20)]
    run = scripted(*sleepers, *[CallStep(61, (ANY, 0, 0, 0))] * 3, exits(0))
    assert run.run() == 0
    assert [e.cage for e in run.recorder.of(Enter) if e.name == "getpid"] == [3, 4, 2]


def test_sched_6_a_deadlock_names_who_waits_on_what() -> None:
    """SCHED-6: two cages, each reading a pipe that nobody writes."""
    read = CallStep(0, (3, Pointer(0x200), 1))
    run = scripted(CallStep(22, (Pointer(0x100),)), fork((read, exits(0))), read, exits(0))
    assert run.run() == 71
    assert run.system.outcome is not None
    lines = run.system.outcome.text.splitlines()
    assert [line.split(":")[0] for line in lines] == ["cage 1 thread 1", "cage 2 thread 1"]
    assert all("in read, waiting" in line for line in lines)


def test_event_1_events_are_numbered_and_calls_are_joined() -> None:
    """EVENT-1: numbers without gaps; one enter, at most one exit, a route between for each call."""
    run = played(Seeded(1))
    events: list[Event] = run.recorder.events
    assert [e.n for e in events] == list(range(1, len(events) + 1))
    assert [e.time for e in events] == sorted(e.time for e in events)
    enters = {e.call: e.n for e in run.recorder.of(Enter)}
    assert list(enters) == list(range(1, len(enters) + 1))
    for kind in (Route, Exit):
        ends = [(e.call, e.n) for e in run.recorder.of(kind)]
        assert len({c for c, _ in ends}) == len(ends)
        assert all(n > enters[call] for call, n in ends)


def test_script_1_a_script_and_a_program_make_the_same_events() -> None:
    """SCRIPT-1: what a thread runs cannot be told from its events (time, image and thread ids apart)."""
    text = '(data (i32.const 0) "ab")'
    start = """(drop (call $call0 (i32.const 39))) (call $write (i32.const 1) (i32.const 0) (i32.const 2))
      (drop (call $call1 (i32.const 3) (i64.const 77))) (call $exit (i64.const 6))"""
    wasm = world(program(start, text))
    script = scripted(
        StoreStep(0, b"ab"),
        *(
            CallStep(n, (*args, *[0] * (6 - len(args))))
            for n, args in ((39, []), (1, [1, Pointer(0), 2]), (3, [77]), (231, [6]))
        ),
    )
    assert (wasm.run(), script.run()) == (6, 6)
    assert wasm.out == script.out == b"ab"
    assert script.results[2] == ("close", -EBADF)

    def shape(run: World) -> list[tuple[object, ...]]:
        kept = [e for e in run.recorder.events if e.kind in ("enter", "route", "exit", "end")]
        first = next(i for i, e in enumerate(kept) if e.kind == "enter" and e.number == 39)  # type: ignore[attr-defined]
        out: list[tuple[object, ...]] = []
        for e in kept[first:]:
            fields = (getattr(e, n, None) for n in ("number", "args", "handler", "result", "status", "rule", "whole"))
            out.append((e.kind, e.cage, e.tid, *fields))
        return out

    assert shape(wasm) == shape(script)
