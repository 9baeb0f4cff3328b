"""The trace as a published format: schema, page, reader, and what is no trace."""

from __future__ import annotations

import io
import itertools
import json
import tracemalloc
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scenes import GUESTS

from lindref.cli.main import main
from lindref.guest.build_guests import Guest, guests, load_guest
from lindref.system.boot import boot
from lindref.system.system import System
from lindref.trace.format import EVENTS, VERSION, problem, schema
from lindref.trace.jsonl import JsonTrace, dump
from lindref.trace.reader import LONGEST, Reader, TraceError
from lindref.trace.strace import Strace, StraceText
from lindref.trace.summary import Summary
from tools import trace_doc

NAMES = [guest.folder.name for guest in guests(GUESTS)]
#: Those of a few seconds' tests: grates, forks, execs, threads.
SOME = [name for name in NAMES if name.startswith("grate_") or name in ("hello", "fork_tree", "exec", "threads_mutex")]
HEADER = {"format": "lindref-trace", "version": 1}


def validator(name: str) -> jsonschema.Draft202012Validator:
    """Checks lines of one kind."""
    whole = schema()
    return jsonschema.Draft202012Validator({"$defs": whole["$defs"], "$ref": f"#/$defs/{name}"})


VALIDATORS = {name: validator(name) for name in ("header", *EVENTS)}


@cache
def traced(name: str) -> tuple[str, str]:
    """A guest's trace with memory events, and its strace text as shown live."""
    guest: Guest = load_guest(GUESTS / name)
    lines: list[str] = []
    shown: list[str] = []
    traces: list[JsonTrace] = []

    def observe(system: System) -> None:
        traces.append(JsonTrace(system, lines.append, memory=True, argv=list(guest.argv)))
        system.observers += [traces[0], Strace(system, shown.append, routes=True)]

    system = boot("/" + guest.argv[0], guest.argv[1:], root=guest.folder, env=guest.env, observe=observe)
    given_input = iter([guest.stdin.encode()] if guest.stdin else [])
    system.kernel.outside.read = lambda: next(given_input, b"")
    traces[0].close(system.run())
    return "".join(lines), "".join(shown)


def read(data: bytes | str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Header and events."""
    reader = Reader(io.BytesIO(data.encode() if isinstance(data, str) else data), "t")
    return reader.header, list(reader)


def test_the_published_schema_and_the_page_are_up_to_date() -> None:
    """Run ``python tools/trace_doc.py`` where this fails."""
    assert trace_doc.SCHEMA.read_text() == trace_doc.schema_text()
    text = trace_doc.PAGE.read_text()
    assert trace_doc.page(text) == text
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", NAMES)
def test_every_guests_trace_is_of_the_format(name: str) -> None:
    """FORMAT-1, FORMAT-2, FORMAT-4, FORMAT-5: by the published schema, and by the reader; and a file shows what the
    run showed (FORMAT-6).
    """
    text, shown = traced(name)
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        VALIDATORS[line.get("event", "header")].validate(line)
    header, events = read(text)
    assert header == lines[0] and events == lines[1:]
    assert header["version"] == VERSION and header["programs"] and header["choices"] == "first"
    assert {e["event"] for e in events} <= set(header["observes"])
    assert events[-1]["event"] == "outcome" and events[-1]["status"] == load_guest(GUESTS / name).exit_status
    out: list[str] = []
    view = StraceText(out.append, routes=True)
    for record in events:
        view.on_record(record)
    assert "".join(out) == shown


def test_memory_events_say_what_a_call_changed() -> None:
    events = read(traced("grate_redirect")[0])[1]
    changes = [e for e in events if e["event"] == "memory"]
    assert changes and all(e["before"] != e["after"] and len(e["before"]) == len(e["after"]) for e in changes)
    exits = {e["n"]: e["call"] for e in events if e["event"] == "exit"}
    assert all(exits[e["n"]] == e["call"] for e in changes)


def test_a_whole_line_is_of_exactly_one_kind() -> None:
    whole = jsonschema.Draft202012Validator(schema())
    for line in traced("hello")[0].splitlines():
        whole.validate(json.loads(line))
    assert not whole.is_valid({"event": "sneeze", "cage": 1})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text("0ax5", max_size=3) | st.floats(0, 2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("0159"), inner, max_size=2),
    max_leaves=6,
)


@st.composite
def nearly_events(draw: st.DrawFn) -> dict[str, Any]:
    """Events, some fields of which are missing or hold anything."""
    kind = EVENTS[draw(st.sampled_from(sorted(EVENTS)))]
    plain = {"COUNT": 1, "TEXT": "a", "FLAG": True, "RETURN": None, "HEX": "0a", "NUMBER": -1, "TEXTS": []}
    record = {"event": kind.name} | {f.name: plain.get(f.kind.name, []) for f in kind.all if f.required}
    for field in draw(st.lists(st.sampled_from(kind.all), max_size=2)):
        if draw(st.booleans()):
            record.pop(field.name, None)
        else:
            record[field.name] = draw(VALUES)
    return record


@given(nearly_events())
def test_reader_and_schema_agree(record: dict[str, Any]) -> None:
    """FORMAT-2. A schema takes 1.0 for an integer; the format does not."""
    fits = VALIDATORS[record["event"]].is_valid(record)
    whole_floats = any(type(v) is float for v in flat(record))
    assert (problem(record) is None) == fits or whole_floats


def flat(value: Any) -> Iterator[Any]:
    """All that is in a JSON value."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from flat(one)


GOOD = traced("hello")[0].encode()
LINES = GOOD.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("data", "line", "why"),
    [
        (b"", 1, "empty"),
        (b"hello\n", 1, "not JSON"),
        (b"{}\n", 1, "not a trace"),
        (b'{"format":"lindref-trace","version":2}\n', 1, "newer"),
        (b'{"format":"lindref-trace","version":true}\n', 1, "version True"),
        (b'{"format":"lindref-trace","version":1,"seed":"x"}\n', 1, "'seed'"),
        (GOOD[:-20], len(LINES), "cut off"),
        (b"".join(LINES[:3] + LINES[4:5] + LINES[3:4]), 5, "out of order"),
        (b"".join([*LINES[:4], *LINES[3:]]), 5, "out of order"),
        (b"".join([*LINES, LINES[-2]]), len(LINES) + 1, "after the outcome"),
        (LINES[0] + b'{"event":"sneeze"}\n', 2, "unknown event 'sneeze'"),
        (LINES[0] + b'{"n":1}\n', 2, "no event"),
        (LINES[0] + b"[1]\n", 2, "not an object"),
        (LINES[0] + b"\n", 2, "not JSON"),
        (LINES[0] + b'{"event":NaN}\n', 2, "not JSON"),
        (LINES[0] + b"[" * 100_000 + b"\n", 2, "nested too deeply"),
        (LINES[0] + b"9" * 10_000 + b"\n", 2, "not JSON"),
        (LINES[0] + b'{"event":"note\xff"}\n', 2, "not UTF-8"),
        (LINES[0] + b'{"event":"note","cage":1,"text":"' + b"x" * (10 << 20) + b'"}\n', 2, f"longer than {LONGEST}"),
        (LINES[0] + b'{"event":"exit","cage":1,"call":7}\n', 2, "did not enter"),
        (LINES[0] + b'{"event":"enter","cage":1,"call":7,"number":1,"args":[[1,2,3]]}\n', 2, "'args'"),
        (LINES[0] + b'{"event":"enter","cage":1,"call":7,"number":1}\n{"event":"exit","cage":2,"call":7}\n', 3, "cage"),
        (b'{"i":1,"cage":1,"n":1,"target":1,"args":[["x",1]],"handler":1,"ret":0,"depth":0}\n', 1, "arguments"),
        (b'{"i":1,"cage":1,"n":1,"target":1,"args":[],"handler":1,"ret":0,"depth":0}\n{"i":1}\n', 2, "without"),
    ],
)  # fmt: skip
def test_what_is_no_trace_is_said_in_one_line(
    data: bytes, line: int, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """FORMAT-3, FORMAT-4."""
    path = tmp_path / "t"
    path.write_bytes(data)
    assert main(["trace", "show", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"lindref trace show: {path}:{line}: ") and why in err
    assert err.count("\n") == 1 and len(err) < 300


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A trace to which something was done."""
    lines = list(traced(draw(st.sampled_from(["hello", "grate_stacked"])))[0].encode().splitlines(keepends=True))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["cut", "drop", "double", "swap", "byte", "value", "insert"])):
            case "cut":
                lines[at:] = [lines[at][: draw(st.integers(0, len(lines[at])))]]
            case "drop":
                del lines[at : at + draw(st.integers(1, 4))]
            case "double":
                lines.insert(at, lines[at])
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "byte":
                spot = draw(st.integers(0, max(len(lines[at]) - 1, 0)))
                lines[at] = lines[at][:spot] + draw(st.binary(max_size=3)) + lines[at][spot + 1 :]
            case "value":
                record = json.loads(lines[at]) if lines[at].startswith(b"{") and lines[at].endswith(b"}\n") else None
                if isinstance(record, dict) and record:
                    record[draw(st.sampled_from(sorted(record)))] = draw(VALUES)
                    lines[at] = json.dumps(record).encode() + b"\n"
            case "insert":
                lines.insert(at, draw(st.binary(max_size=20)) + b"\n")
        if not lines:
            break
    return b"".join(lines)


def look_at(data: bytes) -> str | None:
    """All views of a trace; what is wrong with it, if anything is."""
    text, summary = StraceText(lambda _: None, routes=True), Summary()
    try:
        for record in Reader(io.BytesIO(data), "t"):
            text.on_record(record)
            summary.add(record)
        "".join(summary.lines())
    except TraceError as error:
        return str(error)
    return None


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(spoilt())
def test_whatever_the_file_it_is_shown_or_refused_in_one_line(data: bytes) -> None:
    """FORMAT-3."""
    try:
        wrong = look_at(data)
    except ValueError as error:  # a changed byte may still be JSON; nothing else may escape
        raise AssertionError(error) from error
    if wrong is not None:
        name, line, why = wrong.split(":", 2)
        assert name == "t" and 1 <= int(line) <= data.count(b"\n") + 1 and why and "\n" not in wrong


@given(st.binary(max_size=200))
def test_any_bytes_are_no_trace(data: bytes) -> None:
    wrong = look_at(data)
    assert wrong is not None and "\n" not in wrong


class Endless(io.RawIOBase):
    """A long trace that is made as it is read."""

    def __init__(self, calls: int) -> None:
        events = itertools.chain.from_iterable(self.call(i) for i in range(1, calls + 1))
        self.lines = itertools.chain([dump(HEADER).encode()], events)

    @staticmethod
    def call(i: int) -> Iterator[bytes]:
        """Three lines."""
        yield dump({"n": 3 * i, "event": "enter", "cage": 1, "call": i, "number": 39}).encode()
        yield dump({"n": 3 * i + 1, "event": "route", "cage": 1, "call": i, "handler": 777777}).encode()
        yield dump({"n": 3 * i + 2, "event": "exit", "cage": 1, "call": i, "ret": 1}).encode()

    def readline(self, _size: int | None = -1, /) -> bytes:
        """The next line."""
        return next(self.lines, b"")


def test_reading_takes_no_more_memory_for_longer_traces() -> None:
    """FORMAT-3: what showing and counting hold on to does not grow."""

    def peak(calls: int) -> int:
        text, summary = StraceText(lambda _: None), Summary()
        tracemalloc.start()
        for record in Reader(Endless(calls), "t"):  # type: ignore[arg-type]
            text.on_record(record)
            summary.add(record)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(3000) < peak(300) + 20_000


def test_a_trace_from_the_middle_says_so() -> None:
    part = [{**HEADER, "begins": 9}, {"n": 9, "event": "exit", "cage": 1, "call": 4, "ret": 0}]
    assert len(read("".join(map(dump, part)))[1]) == 1


def test_threads_alone_need_be_in_order() -> None:
    """FORMAT-4."""
    lines = [
        {**HEADER, "order": "thread"},
        {"n": 5, "event": "note", "cage": 1, "text": ""},
        {"n": 4, "event": "note", "cage": 2, "text": ""},
        {"n": 4, "event": "note", "cage": 1, "text": ""},
    ]
    assert len(read("".join(map(dump, lines[:3])))[1]) == 2
    with pytest.raises(TraceError, match="t:4: out of order: event 4 after event 5"):
        read("".join(map(dump, lines)))


def test_unobserved_fields_may_be_missing() -> None:
    """A producer that sees little is shown with what it saw."""
    lines = [
        HEADER,
        {"event": "enter", "cage": 1, "call": 1, "number": 2, "args": [[4096, 1], [1, 1], [0, 1]] + [[0, None]] * 3},
        {"event": "exit", "cage": 1, "call": 1},
        {"event": "enter", "cage": 1, "call": 2, "number": 9999},
        {"event": "exit", "cage": 1, "call": 2, "ret": -38},
        {"event": "note", "cage": 1, "text": "a\x1b[31m\nb", "more": [1]},
    ]
    out: list[str] = []
    text = StraceText(out.append)
    for record in read("".join(map(dump, lines)))[1]:
        text.on_record(record)
    assert out == [
        "[cage 1] open(0x1000, O_WRONLY) = ?\n",
        "[cage 1] call_9999() = -1 ENOSYS (Function not implemented)\n",
        "[cage 1] *** a\\33[31m\\nb\n",
    ]
