"""The official scripts, all of them, one test a script; the counts are those of ``counts.tsv``.

The scripts of features that are not built (vectors, garbage collection, 64-bit memories) are not among them.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import attrs
import pytest

from lindref.conformance.wast import skips
from lindref.conformance.wast.script import run_script
from lindref.conformance.wast.verdict import Status, is_assertion

#: What must hold over all scripts together.
LEAST_PASSED = 28_500
MOST_SKIPPED = 30

UNBUILT = ("core/simd/", "core/relaxed-simd/", "core/gc/", "core/memory64/")


@attrs.frozen
class Row:
    """What a script must come to."""

    script: str
    passed: int
    skipped: int


ROWS = [
    Row(script, int(passed), int(skipped))
    for script, passed, skipped in (
        line.split("\t")
        for line in Path(__file__).with_name("counts.tsv").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
]


@pytest.fixture
def suite(shared: Path) -> Path:
    """The folder of the official scripts."""
    path = shared / "wasm-testsuite"
    if not path.is_dir():
        pytest.skip(f"needs the official scripts in {path}, which is absent")
    return path


#: Scripts of more assertions, and those that recurse to the limit, run compiled in long campaigns only.
BIG = 250
DEEP = ("core/call.", "core/call_indirect.", "core/fac.", "core/return_call", "core/skip-stack-guard-page.")

TIERS = [pytest.param(row, "reference", id=row.script) for row in ROWS] + [
    pytest.param(
        row,
        "compiled",
        id=f"{row.script}-compiled",
        marks=[pytest.mark.campaign] if row.passed > BIG or row.script.startswith(DEEP) else [],
    )
    for row in ROWS
]


@pytest.mark.parametrize(("row", "engine"), TIERS)
def test_script(suite: Path, row: Row, engine: str) -> None:
    """In the reference machine, and with everything compiled when it is first called."""
    path = suite / row.script
    entries = skips.load()
    verdicts = [skips.judge(verdict, entries) for verdict in run_script(path, engine=engine)]
    assert [str(v) for v in verdicts if v.status is Status.FAILED] == []
    counts = Counter(v.status for v in verdicts if is_assertion(v.kind))
    assert (counts[Status.PASSED], counts[Status.SKIPPED]) == (row.passed, row.skipped)
    assert skips.stale(entries, verdicts) == []


def test_together_they_reach_the_bar() -> None:
    assert sum(row.passed for row in ROWS) >= LEAST_PASSED
    assert sum(row.skipped for row in ROWS) <= MOST_SKIPPED
    assert len({row.script for row in ROWS}) == len(ROWS)


def test_no_script_is_left_out(suite: Path) -> None:
    there = {path.relative_to(suite).as_posix() for path in suite.rglob("*.wast")}
    assert {row.script for row in ROWS} == {script for script in there if not script.startswith(UNBUILT)}


def test_every_entry_of_the_list_names_one_command_with_its_reason(suite: Path) -> None:
    entries = skips.load()
    assert all(entry.reason for entry in entries)
    folders = {entry.file for entry in entries if entry.file.endswith("/")}
    assert folders == set(UNBUILT)
    single = [entry for entry in entries if not entry.file.endswith("/")]
    assert all(entry.line is not None and (suite / entry.file).is_file() for entry in single)
    assert len({(entry.file, entry.line) for entry in single}) == len(single)
