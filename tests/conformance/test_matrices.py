"""The matrices: every cell has a program or scripts, which come out as they say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.find import described, make
from lindref.conformance.adapters.own import Lindref
from lindref.conformance.campaign.examine import examine
from lindref.conformance.campaign.outputs import other_outcomes
from lindref.conformance.campaign.result import Status
from lindref.conformance.campaign.suites import Wanted, cases
from lindref.conformance.resources import folder
from lindref.conformance.rules import rules
from lindref.conformance.scripts.generate import callable_names
from lindref.posix.table import CALLS

PROGRAMS = cases(["isolation", "concurrency"], Wanted())


def verdict(case: Case, adapter: str = "lindref", **options: str) -> tuple[str, str]:
    made = make(adapter, options)
    found = examine(made, described(made, adapter), case)
    return found.status.value, found.detail


def test_every_cell_is_filled() -> None:
    wanted = {f"FUNC-00{n}" for n in range(1, 4)} | {f"ISO-00{n}" for n in range(1, 7)}
    wanted |= {f"CONC-00{n}" for n in range(1, 6)}
    found = [*PROGRAMS, *cases(["functional"], Wanted())]
    assert {case.cell for case in found} == wanted
    assert len({case.id for case in found}) == len(found)
    known = {rule.id for rule in rules(folder("spec"))}
    assert all(case.rules and set(case.rules) <= known for case in PROGRAMS)


@pytest.mark.parametrize("case", PROGRAMS, ids=lambda case: case.id)
def test_programs(case: Case) -> None:
    assert verdict(case) == ("allowed", "")


@pytest.mark.campaign
@pytest.mark.parametrize("case", PROGRAMS, ids=lambda case: case.id)
def test_programs_as_recorded(case: Case) -> None:
    status, _ = verdict(case, profile="lind")
    assert status == ("not applicable" if "lind" in case.unfit else "allowed")


@pytest.mark.campaign
@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler")
@pytest.mark.parametrize("case", [c for c in PROGRAMS if c.program and c.program.sources], ids=lambda case: case.id)
def test_programs_natively(case: Case) -> None:
    assert verdict(case, "linux") == ("allowed", "")


def test_what_recorded_behaviour_breaks_is_seen() -> None:
    """Held against the specification, profile lind fails where its deviations are about isolation."""
    (case,) = (case for case in PROGRAMS if case.id == "isolation.iso_memory")
    made = make("lindref", {"profile": "lind"})
    found = examine(made, Lindref("spec").describe(), case)
    assert found.status is Status.FORBIDDEN
    assert "= 12 the call returns 12 (allowed: -14 EFAULT (FILE-WRITE-3))" in found.detail


@pytest.mark.parametrize("case", [case for case in PROGRAMS if case.many], ids=lambda case: case.id)
def test_outcomes_are_all_there_are(case: Case, tmp_path: Path) -> None:
    """What the description says is what exploration finds, no more and no less."""
    del tmp_path
    assert case.program is not None
    found, complete = other_outcomes(case.program, "spec")
    assert complete
    assert {one["stdout"] for one in found} == {one["stdout"].encode() for one in case.expected["spec"]}


@pytest.mark.parametrize("number", range(0, 90, 15))
def test_arguments_of_calls(number: int) -> None:
    """A sample of FUNC-002, by the other engine."""
    (case,) = cases(["functional"], Wanted(), [f"functional.FUNC-002.{callable_names()[number]}"])
    assert verdict(case, engine="reference") == ("allowed", "")


def test_nearly_every_call_has_a_case() -> None:
    assert len(callable_names()) >= len(CALLS) - 25
