"""The trace as JSON lines: EVENT-1 seen from outside."""

from __future__ import annotations

import json
from typing import Any

from scenes import CallStep, ReturnStep, World, exits, fork, scripted

from lindref.system.choices import Replay, Seeded, parse_schedule
from lindref.system.script_runner import Pointer, StoreStep
from lindref.trace.jsonl import FORMAT, VERSION, JsonTrace

ANY = (1 << 64) - 1


def lines_of(run: World) -> list[str]:
    """The trace's lines."""
    out: list[str] = []
    run.system.observers.insert(0, JsonTrace(run.system, out.append, argv=["x"]))
    run.run()
    return "".join(out).splitlines()


def scene(chooser: object = None) -> World:
    """A grate over a child, a file, a signal and an end of each kind."""
    app = (
        CallStep(1001, (2, 0, 0), cages=(107, 1)),
        CallStep(107),
        StoreStep(0x100, b"/f\0"),
        CallStep(2, (Pointer(0x100), 0x41, 0o600)),
        CallStep(62, (2, 15)),
        CallStep(7, (0, 0, ANY)),
    )
    return scripted(
        fork(app), fork((CallStep(24), exits(1))), *[CallStep(61, (ANY, Pointer(0x200), 0, 0))] * 2, exits(0),
        handlers=((ReturnStep(9),),), chooser=chooser,  # type: ignore[arg-type]
    )  # fmt: skip


def test_header_then_events_in_order() -> None:
    lines = [json.loads(line) for line in lines_of(scene())]
    header, events = lines[0], lines[1:]
    assert (header["format"], header["version"]) == (FORMAT, VERSION)
    assert header["profile"] == "spec" and header["argv"] == ["x"]
    assert [e["n"] for e in events] == list(range(1, len(events) + 1))
    assert {"enter", "exit", "route", "choice", "spawn", "end", "signal"} <= {e["event"] for e in events}


def test_a_call_is_three_lines_with_one_number() -> None:
    events = [json.loads(line) for line in lines_of(scene())][1:]
    enter = next(e for e in events if e["event"] == "enter" and e["name"] == "geteuid")
    same = [e for e in events if e.get("call") == enter["call"]]
    assert [e["event"] for e in same] == ["enter", "route", "exit"]
    assert same[1]["handler"] == 1 and same[2]["ret"] == 9
    assert enter["self"] == enter["target"] == 2
    assert all(len(pair) == 2 for pair in enter["args"]) and len(enter["args"]) == 6


def test_decoded_text_stands_beside_the_numbers() -> None:
    events = [json.loads(line) for line in lines_of(scene())][1:]
    opened = next(e for e in events if e["event"] == "enter" and e["name"] == "open")
    assert '"/f"' in str(opened["shown"]) and "O_CREAT" in str(opened["shown"])


def test_the_bytes_are_a_function_of_the_run() -> None:
    """The same run, byte for byte; and from its schedule alone (SCHED-2)."""
    first = scene(Seeded(5))
    lines = lines_of(first)
    assert lines == lines_of(scene(Seeded(5)))
    schedule = first.system.choices.schedule()
    again = lines_of(scene(Replay(parse_schedule(schedule))))
    assert lines[1:] == again[1:]
    headers = [json.loads(one[0]) for one in (lines, again)]
    assert [h["choices"] for h in headers] == ["seeded", "replay"] and headers[1]["schedule"] == schedule


def test_every_rule_named_in_a_trace_is_defined() -> None:
    """A trace event that cites a rule cites one of the specification."""
    from lindref.cli.spec import known_rules

    known = known_rules()
    cited: set[Any] = {json.loads(line).get("rule") for line in lines_of(scene())} - {None, ""}
    assert cited and cited <= set(known)
