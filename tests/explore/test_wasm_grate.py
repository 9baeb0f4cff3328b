"""A grate in C that counts without a lock, over two cages in C: a count can be lost (EXP-3, EXP-2)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lindref.cli.main import main

DATA = Path(__file__).resolve().parents[1] / "data"


def test_a_count_is_lost(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers share the grate's memory, from when they are there on: also in a run that is never frozen (STATE-1)."""
    monkeypatch.chdir(DATA)
    programs = ["count_grate.wasm", "count_app.wasm"]
    assert main(["explore", "--json", *programs]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["exit_status"] for one in found] == [2, 1]
    for one in found:
        assert main(["explore", "--replay", one["schedule"], *programs]) == one["exit_status"]
        assert main(["run", "--accesses", "shared", "--schedule", one["schedule"], *programs]) == one["exit_status"]
