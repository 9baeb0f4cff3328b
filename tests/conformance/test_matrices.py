"""The matrices: every cell has a program or scripts, which come out as they say."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.find import described, make
from lindref.conformance.adapters.own import Lindref
from lindref.conformance.campaign.examine import examine
from lindref.conformance.campaign.outputs import other_outcomes
from lindref.conformance.campaign.result import Status
from lindref.conformance.campaign.suites import Wanted, cases
from lindref.conformance.mutants import patch
from lindref.conformance.mutants.catalogue import MUTANTS
from lindref.conformance.mutants.hunt import MutantAdapter
from lindref.conformance.mutants.patch import Mutant
from lindref.conformance.resources import folder
from lindref.conformance.rules import rules
from lindref.conformance.scripts.generate import callable_names
from lindref.posix.errno import ENOENT
from lindref.posix.table import CALLS
from lindref.system.system import System

PROGRAMS = cases(["isolation", "concurrency"], Wanted())
FUNCTIONAL = cases(["functional"], Wanted())
REAL = [case for case in FUNCTIONAL if case.id.startswith("functional.func_")]

#: Faults of each cell's kind (``lindref conform mutants``): each is to make the cell fail.
FAULTS = [
    ("FUNC-001", "write-one-short"),
    ("FUNC-002", "dup-errno"),
    ("FUNC-003", "wait-status"),
    ("ISO-001", "memory-shared"),
    ("ISO-002", "exec-keeps-cloexec"),
    ("ISO-003", "fault-errno"),
    ("ISO-004", "outside-found"),
    ("ISO-005", "fork-without-table"),
    ("ISO-005", "route-past-grates"),
    ("ISO-006", "route-first-function"),
    ("CONC-001", "wait-wrong-child"),
    ("CONC-002", "open-ignores-excl"),
    ("CONC-003", "epipe-errno"),
    ("CONC-003", "link-not-counted"),
    ("CONC-004", "dup-own-offset"),
    ("CONC-004", "close-leaks"),
    ("CONC-005", "setfl-lost"),
]


def verdict(case: Case, adapter: str = "lindref", **options: str) -> tuple[str, str]:
    made = make(adapter, options)
    found = examine(made, described(made, adapter), case)
    return found.status.value, found.detail


def test_every_cell_is_filled() -> None:
    wanted = {f"FUNC-00{n}" for n in range(1, 4)} | {f"ISO-00{n}" for n in range(1, 7)}
    wanted |= {f"CONC-00{n}" for n in range(1, 6)}
    found = [*PROGRAMS, *FUNCTIONAL]
    many = Counter(case.cell for case in found)
    assert many.keys() == wanted
    assert min(many.values()) >= 2
    assert len({case.id for case in found}) == len(found)
    known = {rule.id for rule in rules(folder("spec"))}
    assert all(case.rules and set(case.rules) <= known for case in PROGRAMS)


def shared(old: Callable, system: System, parent: int, child: int) -> None:
    """A fork that does not copy what is in memory."""
    old(system, parent, child)
    system.memories[child] = system.memories[parent]


OWN = {
    "memory-shared": Mutant(
        "memory-shared", "memory", "cages share memory", patch.function(System, "fork_memory", shared)
    ),
    "outside-found": Mutant(
        "outside-found", "paths", "openat finds what is not in the root", patch.error("openat", ENOENT, 0)
    ),
}


@pytest.mark.parametrize(("cell", "fault"), FAULTS, ids=lambda word: word)
def test_a_fault_makes_its_cell_fail(cell: str, fault: str) -> None:
    adapter = MutantAdapter(OWN[fault] if fault in OWN else MUTANTS[fault], "spec")
    said = adapter.describe()
    chosen = [case for case in (*PROGRAMS, *FUNCTIONAL) if case.cell == cell and (cell < "FUNC" or fits(case, fault))]
    assert any(examine(adapter, said, case).status is Status.FORBIDDEN for case in chosen)


def fits(case: Case, fault: str) -> bool:
    """Of the many functional cases: those that are to show the fault."""
    name = case.id.rsplit(".", 1)[1]
    if case.cell == "FUNC-002":
        return name.startswith(fault.partition("-")[0])
    return name in ("func_shell", "files", "stdio_files") or case.cell not in ("FUNC-001", "FUNC-003")


@pytest.mark.parametrize("case", [*PROGRAMS, *REAL], ids=lambda case: case.id)
def test_programs(case: Case) -> None:
    assert verdict(case) == ("allowed", "")


@pytest.mark.campaign
@pytest.mark.parametrize("case", [*PROGRAMS, *REAL], ids=lambda case: case.id)
def test_programs_as_recorded(case: Case) -> None:
    status, _ = verdict(case, profile="lind")
    assert status == ("not applicable" if "lind" in case.unfit else "allowed")


@pytest.mark.campaign
@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler")
@pytest.mark.parametrize(
    "case", [c for c in (*PROGRAMS, *REAL) if c.program and c.program.sources], ids=lambda case: case.id
)
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
