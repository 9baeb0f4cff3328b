"""Mutants: the oracle finds out faults in the model (JUDGE-9)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lindref.conformance.adapters.case import Case
from lindref.conformance.campaign.command import main
from lindref.conformance.mutants.catalogue import MUTANTS
from lindref.conformance.mutants.hunt import MutantAdapter, find_out, hunt
from lindref.conformance.mutants.ordinary import ORDINARY
from lindref.conformance.scripts.shrink import size
from lindref.conformance.vectors.model import load
from lindref.posix.table import CALLS
from lindref.profile import SPEC
from lindref.threei import tables

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"

#: Some mutants, and the rule by which each is found out.
SAMPLE = {
    "read-keeps-offset": "FILE-READ-1",
    "fd-not-lowest": "FD-2",
    "close-leaks": "FD-1",
    "pipe-never-ends": "FILE-READ-5",
    "wait-status": "WAIT-1",
    "block-as-set": "SIG-16",
    "exit-leaves-rows": "3I-ROUTE-3",
    "unlink-does-nothing": "PATH-5",
}


def test_there_are_enough_in_every_area() -> None:
    assert len(MUTANTS) >= 60
    areas = {mutant.area for mutant in MUTANTS.values()}
    wanted = (
        "files descriptors pipes sockets polling memory processes signals threads time identity copy grates".split()
    )
    assert areas >= {*wanted, "shared memory", "3i tables", "3i routes"}


@pytest.mark.parametrize("vector", ORDINARY, ids=lambda v: v.id)
def test_the_model_itself_is_found_to_have_no_fault(vector) -> None:  # type: ignore[no-untyped-def]
    from lindref.conformance.mutants.patch import Mutant, attribute

    same = Mutant("none", "none", "none", attribute(tables, "route", lambda old: old))
    assert find_out(same, vector, SPEC) is None


@pytest.mark.parametrize("name", list(SAMPLE))
def test_a_fault_is_found_out(name: str) -> None:
    report = hunt(MUTANTS[name], profile="spec", shrinks=False)
    assert report.caught is not None
    assert report.caught.by_trace
    assert report.caught.rule == SAMPLE[name], report.caught.what


def test_a_script_is_shrunk_to_few_calls() -> None:
    report = hunt(MUTANTS["close-twice"], profile="spec")
    assert report.caught is not None
    assert report.caught.rule == "FD-1"
    assert size(report.caught.script) <= 3


def test_nothing_of_a_fault_stays() -> None:
    """A mutant is a patch that is taken back."""
    before = {number: row.handler for number, row in CALLS.items()}, tables.route, tables.register
    for mutant in MUTANTS.values():
        with mutant.patch():
            pass
        MutantAdapter(mutant, "spec").describe()
    assert ({number: row.handler for number, row in CALLS.items()}, tables.route, tables.register) == before
    with pytest.raises(ZeroDivisionError), MUTANTS["route-past-grates"].patch():
        raise ZeroDivisionError
    assert tables.route is before[1]
    assert Case("x").kind == "module"


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutants", "close-leaks", "--no-shrink"]) == 0
    out = capsys.readouterr().out
    assert "1 caught, 0 missed, 0 equivalent" in out
    assert main(["mutants", "close-leaks", "--no-shrink", "--json"]) == 0
    (value,) = json.loads(capsys.readouterr().out)
    assert value["caught"] and value["rule"].startswith("FD-") and value["by"] == "trace"
    assert main(["mutants", "nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


@pytest.mark.campaign
@pytest.mark.skipif(not VECTORS.is_dir(), reason="the recordings are not here")
@pytest.mark.parametrize("name", list(MUTANTS))
def test_every_fault_is_found_out_or_nobody_can_tell(name: str) -> None:
    vectors = [one for path in sorted(VECTORS.glob("*.json")) for one in load(path)]
    report = hunt(MUTANTS[name], vectors, profile="spec", shrinks=False)
    assert (report.caught is None) == bool(MUTANTS[name].equivalent)
