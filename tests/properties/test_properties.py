"""The properties hold for lindref, and each can fail: every seeded fault is caught by a statement that names it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

import lindref.properties as properties
from lindref.properties import faults
from lindref.properties.faults import COPY_FAULTS, RUN_FAULTS, TABLE_FAULTS, FaultyCopier, FaultyTables

BY_SUBJECT = {
    subject: [s.number for s in properties.STATEMENTS.values() if s.subject == subject]
    for subject in ("tables", "copies", "runs")
}


def caught(make: Callable[[], Any], numbers: tuple[str, ...], examples: int) -> list[str]:
    """The statements that fail for an implementation."""
    found = []
    for number in numbers:
        try:
            properties.check(number, make, examples, simplify=False)
        except Exception:  # noqa: BLE001  # whatever a broken implementation does
            found.append(number)
    return found


@pytest.mark.parametrize("number", BY_SUBJECT["tables"])
def test_tables(number: str) -> None:
    """3I-REG-*, 3I-COPY-*, 3I-FORK-1, 3I-EXEC-1, 3I-EXIT-*, 3I-ROUTE-*: lindref's, and the model the faults are in."""
    properties.check(number, properties.LindrefTables, 30)
    properties.check(number, FaultyTables, 15)


@pytest.mark.parametrize("number", BY_SUBJECT["copies"])
def test_copies(number: str) -> None:
    """3I-DATA-*."""
    properties.check(number, properties.LindrefCopier, 40)
    properties.check(number, FaultyCopier, 40)


@pytest.mark.parametrize("number", BY_SUBJECT["runs"])
def test_runs(number: str) -> None:
    """3I-GRATE-*, and what a run promises."""
    properties.check(number, properties.LindrefRuns, 5)


@pytest.mark.campaign
def test_all_at_length() -> None:
    """Every statement with many examples."""
    assert len(properties.check_tables(properties.LindrefTables, 400)) >= 18
    assert len(properties.check_copies(properties.LindrefCopier, 400)) == 4
    assert len(properties.check_runs(properties.LindrefRuns, 100)) >= 20


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_table_faults_are_caught(fault: str) -> None:
    by = caught(lambda: FaultyTables(fault), TABLE_FAULTS[fault], 150)
    sys.stdout.write(f"{fault}: caught by {', '.join(by)}\n")
    assert by, fault


@pytest.mark.parametrize("fault", COPY_FAULTS)
def test_copy_faults_are_caught(fault: str) -> None:
    by = caught(lambda: FaultyCopier(fault), COPY_FAULTS[fault], 150)
    sys.stdout.write(f"{fault}: caught by {', '.join(by)}\n")
    assert by, fault


@pytest.mark.parametrize("fault", RUN_FAULTS)
def test_run_faults_are_caught(fault: str) -> None:
    with faults.broken(fault):
        by = caught(properties.LindrefRuns, RUN_FAULTS[fault][1], 30)
    sys.stdout.write(f"{fault}: caught by {', '.join(by)}\n")
    assert by, fault


def test_there_are_enough() -> None:
    """At least thirty faults, and every statement is shown able to fail by one."""
    assert len(TABLE_FAULTS) + len(COPY_FAULTS) + len(RUN_FAULTS) >= 30
    lists = (*TABLE_FAULTS.values(), *COPY_FAULTS.values(), *(numbers for _, numbers in RUN_FAULTS.values()))
    assert {number for numbers in lists for number in numbers} == {*properties.STATEMENTS}


TestTables = properties.TablesMachine.TestCase


def test_the_machine_can_fail() -> None:
    """The state machine, too, finds faults."""
    from hypothesis import Phase, settings
    from hypothesis.stateful import run_state_machine_as_test

    quick = settings(max_examples=200, database=None, derandomize=True, phases=[Phase.generate], deadline=None)
    for fault in ("a copy merges", "an end leaves the rows", "a removal restores RawPOSIX"):
        machine = properties.tables_machine(lambda fault=fault: FaultyTables(fault))
        with pytest.raises(AssertionError):
            run_state_machine_as_test(machine, settings=quick)
