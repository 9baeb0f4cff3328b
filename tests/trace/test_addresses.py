"""Addresses of other producers (FORMAT-8): a trace with any of them says the same as one with lindref's own."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from test_format import traced

from lindref.cli.main import main
from lindref.conformance.oracle.judge import judge
from lindref.posix.table import CALLS
from lindref.posix.usermem import model_resolve
from lindref.trace.addresses import POINTERS, Addresses
from lindref.trace.diff import Comparison
from lindref.trace.jsonl import dump
from lindref.trace.reader import Reader

GUESTS = ["hello", "files", "grate_stacked", "spawn"]


def _records(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in traced(name)[0].splitlines()]


def _other(records: list[dict[str, Any]], way: str) -> list[dict[str, Any]]:
    """The same trace as another producer writes it."""

    def base(cage: int) -> int:
        return 0x7F00_0000_0000 + cage * 0x1_2340_0000

    def address(value: int, cage: int) -> int:
        place = model_resolve(value)
        if place is None or value < 1 << 44:
            return value
        if way == "bases":
            return base(place.cage) + place.offset
        return place.offset

    head = {**records[0], **({"addresses": "offset"} if way == "offset" else {"bases": {"1": base(1)}})}
    out = [head]
    for record in records[1:]:
        one = dict(record)
        if one["event"] == "enter":
            row = CALLS.get(one["number"])
            kinds = [param.kind for param in row.params] if row is not None else []
            places = {at for at, kind in enumerate(kinds) if kind in POINTERS}
            places |= {0, 1} if one["number"] == 1002 else set()
            args = one["args"]
            one["args"] = [[address(v, o) if at in places else v, o] for at, (v, o) in enumerate(args)]
            if "data" in one:
                one["data"] = [[address(value, one["cage"]), data] for value, data in one["data"]]
        if one["event"] == "spawn" and way == "bases" and one.get("child_tid", 1) == 1:
            one["base"] = base(one["child"])
        out.append(one)
    return out


def _reader(records: list[dict[str, Any]]) -> Reader:
    return Reader(io.BytesIO("".join(map(dump, records)).encode()), "t")


@pytest.mark.parametrize("way", ["bases", "offset"])
@pytest.mark.parametrize("name", GUESTS)
def test_other_addresses_say_the_same(name: str, way: str) -> None:
    records = _records(name)
    other = _other(records, way)
    assert other != records
    assert [r for r in _reader(other) if r["event"] == "enter"] == [r for r in records if r.get("event") == "enter"]
    assert Comparison(_reader(records), _reader(other)).run() is None
    assert judge(_reader(other)).allowed
    assert judge(other).allowed


def test_a_memory_that_is_gone_means_nothing() -> None:
    places = Addresses({"bases": {"2": 1 << 40}})
    enter = {"event": "enter", "cage": 2, "call": 1, "number": 1, "args": [[1, 2], [(1 << 40) + 8, 2], [1, 2]]}
    assert places.translated(enter)["args"][1][0] == (1 << 44) + 2 * (1 << 33) + 8
    places.translated({"event": "end", "cage": 2, "whole": True})
    assert places.translated(enter) == enter


def test_the_least_that_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The example of docs/trace.md for those who see little."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "trace.md").read_text(encoding="utf-8")
    example = text.split("## Who sees little", 1)[1].split("```json\n", 1)[1].split("```", 1)[0]
    path = tmp_path / "t.jsonl"
    path.write_text(example)
    assert main(["trace", "check", str(path)]) == 0
    assert "allowed (2 calls)" in capsys.readouterr().out
    path.write_text(example.replace('"ret":5', '"ret":6'))
    assert main(["trace", "check", str(path)]) == 1
    assert "FILE-WRITE-1" in capsys.readouterr().out


def test_cages_are_chosen_and_tables_sorted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(traced("spawn")[0])
    assert main(["trace", "show", "-p", "2", str(path)]) == 0
    out = capsys.readouterr().out
    assert out and all(line.startswith("[cage 2]") for line in out.splitlines())
    assert main(["trace", "show", "-c", "-S", "calls", str(path)]) == 0
    rows = capsys.readouterr().out.split("\n\n")[0].splitlines()[2:-2]
    counts = [int(row.split()[3]) for row in rows]
    assert counts == sorted(counts, reverse=True) and len(counts) > 3
    assert main(["trace", "diff", "-", "-"]) == 2
    assert "only one" in capsys.readouterr().err
    assert main(["trace", "show", "-p", "x", str(path)]) == 2
