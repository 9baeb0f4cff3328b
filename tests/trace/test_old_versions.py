"""Old versions stay readable (FORMAT-1): files that were written once. They are never written anew, only added to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_format import VALIDATORS

from lindref.cli.main import main
from lindref.trace.format import EVENTS, VERSION

PINNED = Path(__file__).parent / "pinned"


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_every_version_that_was_ever_written_is_read(version: int, capsys: pytest.CaptureFixture[str]) -> None:
    """All its events are there, and are shown as they were."""
    path = PINNED / f"version-{version}.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert records[0]["version"] == version
    assert main(["trace", "show", "--routes", str(path)]) == 0
    assert capsys.readouterr().out == path.with_suffix(".txt").read_text()
    assert main(["trace", "diff", str(path), str(path)]) == 0
    assert "no difference in" in capsys.readouterr().out
    assert main(["trace", "check", str(path)]) in (0, 1, 3)  # judged, not refused


def test_version_1_has_its_events() -> None:
    """Fields and events may come; what version 1 has remains, and fits the schema that was published with it."""
    records = [json.loads(line) for line in (PINNED / "version-1.jsonl").read_text().splitlines()]
    kinds = {record["event"] for record in records[1:]}
    wanted = "enter route exit choice spawn exec end signal memory note input outcome"
    assert kinds == set(wanted.split()) <= set(EVENTS)
    for record in records:
        VALIDATORS[record.get("event", "header")].validate(record)
