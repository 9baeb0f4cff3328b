"""Traces compared: what may differ may, what may not is found where it is."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import CallStep, exits, fork, scripted
from test_format import SOME, read, traced

from lindref.cli.main import main
from lindref.posix.usermem import MODEL_STRIDE
from lindref.system.choices import Seeded
from lindref.trace.diff import Comparison, Difference
from lindref.trace.jsonl import JsonTrace, dump
from lindref.trace.normal import Symbol, text_term
from lindref.trace.reader import Reader

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "traces"


def compare(a: str, b: str, **options: Any) -> Difference | None:
    """The first difference."""
    return Comparison(reader(a), reader(b), **options).run()


def reader(text: str) -> Reader:
    """A reader of a trace."""
    return Reader(io.BytesIO(text.encode()), "t")


def lines(text: str) -> list[dict[str, Any]]:
    """All lines as objects."""
    return [json.loads(line) for line in text.splitlines()]


def text_of(records: list[dict[str, Any]]) -> str:
    """Objects as a trace."""
    return "".join(map(dump, records))


#: Calls whose results and arguments are cage ids.
PIDS = {"getpid", "getppid", "wait4", "clone", "kill", "fork"}


def renamed(text: str, cages: dict[int, int], shift: int) -> str:
    """The same trace of a run that gave other cage ids, addresses and call numbers, at other times."""
    out = []
    numbers = {e["call"]: e["number"] for e in lines(text) if e.get("event") == "enter"}
    names = {e["call"]: e["name"] for e in lines(text) if e.get("event") == "enter"}
    threads: set[tuple[int, int]] = set()

    def other(cage: int) -> int:
        return cages.get(cage, cage)

    def stack(found: re.Match[str]) -> str:
        return f"stack={int(found[1], 16) + 4096 * shift:#x}"

    def address(value: int) -> int:
        known = (1 << 44) <= value < (1 << 44) + 3000 * MODEL_STRIDE
        return value + 4096 * shift if known else value

    for line in lines(text):
        event = line.get("event")
        for field in ("cage", "self", "target", "child", "owner"):
            if field in line:
                line[field] = other(line[field])
        if "handler" in line:
            line["handler"] = other(line["handler"])
        for field in ("call", "within"):
            if line.get(field):
                line[field] += shift
        if "time" in line:
            line["time"] *= 3
        if event == "enter":
            number = line["args"][0][1]
            line["args"] = [[address(value), other(owner)] for value, owner in line["args"]]
            if line["number"] in (1001, 1003):
                line["args"][0][0] = other(line["args"][0][0])
            if line["number"] == 1001:
                line["args"][0][1] = number  # of the call, which travels where a cage does
            if line["name"] in ("wait4", "kill"):
                line["args"][0][0] = other(line["args"][0][0])
            line["shown"] = [t and re.sub(r"stack=(0x\w+)", stack, t) for t in line["shown"]]
        call = line.get("call", shift) - shift
        if event == "spawn" and line["child_tid"] > 1:
            threads.add((line["cage"], line["tid"]))  # its clone returns a thread, not a cage
        if event == "exit" and names[call] in PIDS and line["ret"] and numbers[call] < 1000:
            if names[call] != "clone" or (line["cage"], line["tid"]) not in threads:
                line["ret"] = other(line["ret"])
            threads.discard((line["cage"], line["tid"]))
        if event == "exit" and names[call] == "copy_data_between_cages" and line["ret"] > 4095:
            line["ret"] += 4096 * shift  # where it copied to
        out.append(line)
    return text_of(out)


@pytest.mark.parametrize("threads", [False, True])
@pytest.mark.parametrize("name", SOME)
def test_a_run_with_other_names_is_the_same(name: str, threads: bool) -> None:
    """FORMAT-7."""
    text = traced(name)[0]
    assert compare(text, renamed(text, {c: 70 - c for c in range(1, 70)}, 5), by_thread=threads) is None


def test_a_name_that_stands_for_two_is_a_difference() -> None:
    """FORMAT-7: bound once, bound for good."""
    text = traced("grate_stacked")[0]
    found = compare(text, renamed(text, {2: 9, 3: 9}, 0))
    assert found is not None and ("cage" in found.what or "child" in found.what)


#: What a change of each field is called in the difference.
CHANGES = {
    "ret": lambda v: (v or 0) + 1 if v is None or v >= 0 else v - 1,
    "number": lambda v: v + 1,
    "handler": lambda v: 999999 if v == 777777 else 777777,
    "path": lambda v: v + "x",
    "status": lambda v: v + 1,
    "signo": lambda v: v + 1,
}


@given(st.data())
def test_a_change_is_found_where_it_is(data: st.DataObject) -> None:
    """FORMAT-7: whatever is changed that must be equal."""
    text = traced(data.draw(st.sampled_from(SOME)))[0]
    records = lines(text)
    kinds = {"ret": "exit", "number": "enter", "handler": "route", "path": "exec", "status": "outcome"}
    free = {*PIDS, "mmap", "brk"}
    pids = {e["call"] for e in records if e.get("event") == "enter" and e["name"] in free}
    spots = [
        (i, field)
        for i, record in enumerate(records)
        for field in CHANGES
        if record.get("event") == kinds.get(field) and field in record
        and not (field == "ret" and record["call"] in pids) and not (field == "handler" and record[field] < 2048)
    ]  # fmt: skip
    at, field = data.draw(st.sampled_from(spots))
    records[at][field] = CHANGES[field](records[at][field])
    records[at].pop("name", None)
    found = compare(text, text_of(records))
    assert found is not None and found.lines == (at + 1, at + 1)
    assert len(found.context) <= 3 and found.first != found.second


def test_one_that_ends_early_is_a_difference() -> None:
    text = traced("hello")[0]
    records = lines(text)
    found = compare(text, text_of(records[:-3]))
    assert found is not None and found.lines == (len(records) - 2, None) and "second trace has no more" in found.what
    assert compare(text_of(records[:-3]), text) is not None


def test_what_only_one_observes_is_left_out() -> None:
    """FORMAT-2: a poorer trace of the same run."""
    text = traced("grate_redirect")[0]
    poor: list[dict[str, Any]] = []
    for record in lines(text):
        if record.get("event") in (None, "enter", "exit", "end"):
            for field in ("shown", "within", "rule", "time", "n", "self"):
                record.pop(field, None)
            if "observes" in record:
                record["observes"] = ["enter", "exit", "end"]
            poor.append(record)
    assert compare(text, text_of(poor)) is None
    assert compare(text_of(poor), text) is None


def race(seed: int) -> str:
    """Three cages that run in an order of their own, each with calls of its own."""
    out: list[str] = []
    child = (*[CallStep(39)] * 3, CallStep(24), CallStep(102), exits(0))
    run = scripted(fork(child), fork(child), fork(child), *[CallStep(61, ((1 << 64) - 1, 0, 0, 0))] * 3, exits(0),
                   chooser=Seeded(seed))  # fmt: skip
    trace = JsonTrace(run.system, out.append)
    run.system.observers.append(trace)
    trace.close(run.system.run())
    return "".join(out)


def test_schedules_differ_only_between_threads() -> None:
    """FORMAT-4: runs that differ in nothing but the order between threads."""
    runs = [race(seed) for seed in range(6)]
    assert any(compare(runs[0], other) is not None for other in runs[1:])
    for other in runs[1:]:
        found = compare(runs[0], other, by_thread=True)
        # wait4 says who ended first; nothing else differs.
        assert found is None or "wait4" in found.first


def test_texts_hide_names_and_times_and_nothing_else() -> None:
    assert text_term('"/tmp/a.Xy12"') == ('"/tmp/', Symbol("name", "a.Xy12"), '"')
    assert text_term('"/tmpfile"') == ('"/tmpfile"',)
    assert text_term("{tv_sec=1, tv_nsec=2}") == ("{tv_sec=1, tv_nsec=2}",)
    assert text_term("{tv_sec=1}", written=True) == ("{tv_sec=", Symbol("time", "1"), "}")
    assert text_term('"tv_sec=1"', written=True) == ('"tv_sec=1"',)
    assert text_term("0x10") == (Symbol("address", "0x10"),)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded traces here")
def test_recorded_traces_are_read_and_compared() -> None:
    """Each is the same as itself, and as itself with other cages; one result changed is found."""
    for path in sorted(RECORDED.glob("*.jsonl")):
        text = path.read_text()
        calls = lines(text)
        assert len([e for e in read(text)[1] if e["event"] == "enter"]) == len(calls)
        assert compare(text, text) is None, path
        last = max(i for i, c in enumerate(calls) if c["ret"] is not None and c["cage"] < 2048 and c["n"] < 1000)
        calls[last]["ret"] = -99
        found = compare(text, text_of(calls))
        assert found is not None and "result" in found.what and "-99" not in found.what.split(", not ")[0], path


def test_a_recorded_trace_and_one_of_ours() -> None:
    """The calls of a run, written down as the recorder does: same calls, same routes, same results."""
    text = traced("grate_stacked")[0]
    depth: dict[int, int] = {0: -1}
    calls: list[dict[str, Any]] = []
    for e in lines(text)[1:]:
        if e["event"] == "enter":
            depth[e["call"]] = depth[e["within"]] + 1
            calls.append({"i": e["call"], "cage": e["self"], "n": e["number"], "target": e["target"], "args": e["args"],
                          "handler": 0, "ret": None, "depth": depth[e["call"]]})  # fmt: skip
        elif e["event"] in ("route", "exit"):
            call = next(c for c in calls if c["i"] == e["call"])
            call |= {"handler": e["handler"]} if e["event"] == "route" else {"ret": e["ret"]}
    assert compare(text, text_of(calls)) is None
    assert compare(text_of(calls), text) is None
    next(c for c in calls[7:] if c["handler"] == 777777)["handler"] = 999999
    found = compare(text, text_of(calls))
    assert found is not None and found.what.startswith("handler")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 for the same, 1 for a difference, 2 for what is no trace."""
    a, b, none = tmp_path / "a", tmp_path / "b", tmp_path / "none"
    a.write_text(traced("hello")[0])
    b.write_text(traced("hello")[0].replace('"ret":13', '"ret":12'))
    assert main(["trace", "diff", str(a), str(a)]) == 0
    assert capsys.readouterr().out.startswith("no difference in ")
    assert main(["trace", "diff", str(a), str(b)]) == 1
    out = capsys.readouterr().out
    assert re.match(rf"{a}:\d+ and {b}:\d+ differ: result: 13, not 12\n", out)
    assert out.count("\n  ") == 3 and "\n- " in out and "\n+ " in out
    assert main(["trace", "diff", "--json", str(a), str(b)]) == 1
    assert json.loads(capsys.readouterr().out)["same"] is False
    assert main(["trace", "diff", str(a), str(none)]) == 2
    assert capsys.readouterr().err == f"lindref trace diff: {none}: No such file or directory\n"
