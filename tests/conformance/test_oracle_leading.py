"""What is shown to lead to a verdict takes nothing that does not (JUDGE-1)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_oracle import traced
from test_oracle_overlap import _run

from lindref.cli import trace as command
from lindref.conformance.oracle.judge import judge
from lindref.conformance.oracle.leading import leading
from lindref.conformance.oracle.verdict import Judgement, Verdict
from lindref.conformance.oracle.world import World
from lindref.trace.format import Record
from lindref.trace.jsonl import dump


def _spoilt(records: list[Record], result: int, other: int) -> list[Record]:
    """The last call with a result has another."""
    at = max(i for i, one in enumerate(records) if one.get("event") == "exit" and one["ret"] == result)
    return [*records[:at], {**records[at], "ret": other}, *records[at + 1 :]]


def _reason(one: Judgement) -> tuple[object, ...]:
    return (one.verdict, one.rule, one.what, one.call, one.alternatives)


def _calls(records: tuple[Record, ...] | list[Record]) -> list[int]:
    return [one["call"] for one in records if one["event"] == "enter"]


@pytest.mark.parametrize("shared", [False, True], ids=["apart", "shared"])
def test_calls_of_others_are_left_out(shared: bool) -> None:
    """Of two children and their parent the one child is left, with what its call takes, and how it came to be."""
    records = _spoilt([dict(one) for one in _run(2, 2, 5, shared=shared)], 6, 5)
    found = judge(records)
    assert found.verdict is Verdict.FORBIDDEN
    leads = leading(records[0], found, None, World)
    assert leads[-1] is found.prefix[-1]
    assert [one for one in found.prefix if any(one is other for other in leads)] == list(leads)
    assert {one["cage"] for one in leads} < {one["cage"] for one in found.prefix if "cage" in one}
    assert len(_calls(leads)) <= 7 < len(_calls(found.prefix))
    assert _reason(judge([records[0], *leads])) == _reason(found)
    for call in _calls(leads)[:-1]:  # none can be spared
        fewer = [one for one in leads if one.get("call") != call]
        assert _reason(judge([records[0], *fewer])) != _reason(found), call


def test_both_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records, root = traced("files")
    at = next(i for i, one in enumerate(records) if one.get("name") == "lseek" and one["event"] == "enter")
    end = next(i for i in range(at, len(records)) if records[i]["event"] == "exit")
    records[end] = {**records[end], "ret": 4711}
    path = tmp_path / "t.jsonl"
    path.write_text("".join(map(dump, records)))
    words = ["check", "--root", str(root), str(path)]
    assert command.main(words) == 1
    text = capsys.readouterr().out
    assert command.main([*words[:-1], "--json", words[-1]]) == 1
    told = json.loads(capsys.readouterr().out)[0]
    spared = len(_calls(told["prefix"])) - len(_calls(told["leads"]))
    assert spared > 0 and told["leads"][-1] == told["prefix"][-1] == records[end]
    assert f"what leads to it (calls left out that do not matter: {spared}):" in text
    assert "lseek" in text.splitlines()[-1]
