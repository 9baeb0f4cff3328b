"""The facts about 3i (3i.md 2 to 5 and 10), statement by statement, in both profiles.

Each case names its section, its rules and what is expected; where the profiles differ, also the deviations that make
the difference: without them profile ``lind`` answers otherwise.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from facts import Case, ids
from statements_grates import CASES as GRATES
from statements_processes import CASES as PROCESSES
from statements_tables import CASES as TABLES

from lindref.conformance.rules import rules
from lindref.profile import DEVIATIONS, LIND, SPEC, Profile

CASES = [*TABLES, *GRATES, *PROCESSES]
SPEC_FOLDER = Path(__file__).resolve().parents[2] / "spec"
NAMES = [f"{case.section} {case.statement}" for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_statement(case: Case) -> None:
    assert case.play(SPEC) == case.spec
    assert case.play(LIND) == (case.lind or case.spec)
    assert (case.lind is None) == (not case.deviations)
    if case.lind is not None:
        without = Profile("lind", frozenset(DEVIATIONS) - set(ids(case.deviations)))
        assert case.play(without) != case.lind, "the deviations that are named make no difference"


def test_what_the_cases_name() -> None:
    known = {rule.id for rule in rules(SPEC_FOLDER)}
    for case in CASES:
        assert set(ids(case.rules)) <= known, case.statement
        assert set(ids(case.deviations)) <= set(DEVIATIONS), case.statement
    assert len(set(NAMES)) == len(NAMES)
