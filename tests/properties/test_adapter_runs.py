"""Statements about runs, tried on the adapters of conformance campaigns."""

from __future__ import annotations

from functools import cache

import pytest

import lindref.properties as properties
from lindref.conformance.adapters import AdapterError, find
from lindref.conformance.adapters.as_runs import AdapterRuns
from lindref.conformance.adapters.own import Lindref
from lindref.conformance.mutants.catalogue import MUTANTS
from lindref.conformance.mutants.hunt import MutantAdapter

#: Statements that vectors can say, and those of them that hold in profile spec alone.
SAID = ("23", "24", "31", "37", "38", "39", "40", "44", "51", "29", "42", "49", "30", "T1", "T2", "T3", "T5", "46")
SPEC_ONLY = ("29", "T5")


@cache
def runs(profile: str) -> AdapterRuns:
    return AdapterRuns(Lindref(profile=profile, player="direct"))


@pytest.mark.parametrize("number", SAID)
def test_spec(number: str) -> None:
    """3I-GRATE-*, FORK-*, WAIT-*: they hold for lindref as an implementation under test."""
    properties.check(number, lambda: runs("spec"), 3, simplify=False)


def test_lind() -> None:
    """Profile lind: all but those that name one of its deviations."""
    for number in SAID:
        if number in SPEC_ONLY:
            with pytest.raises(properties.NotRelevant, match=f"statement {number}: deviation 3I-"):
                properties.check(number, lambda: runs("lind"), 3)
        else:
            properties.check(number, lambda: runs("lind"), 2, simplify=False)


def test_the_puppet_guest_is_the_same() -> None:
    """A real guest that plays the script."""
    properties.check("T2", lambda: AdapterRuns(Lindref()), 2, simplify=False)


@pytest.mark.parametrize("number", [s.number for s in properties.STATEMENTS.values() if s.subject == "runs"])
def test_what_vectors_do_not_say_is_not_relevant(number: str) -> None:
    """Routes, orders, schedules, threads, signals' handlers: said, not passed over in silence."""
    if number not in SAID:
        with pytest.raises(properties.NotRelevant, match=f"statement {number}: "):
            properties.check(number, lambda: runs("spec"), 3)


@pytest.mark.parametrize(
    ("mutant", "number"),
    [("grate-result-off-by-one", "T2"), ("register-lost", "23"), ("grate-trap-hidden", "24")],
)
def test_mutants_are_caught(mutant: str, number: str) -> None:
    wrong = AdapterRuns(MutantAdapter(MUTANTS[mutant], "spec"))
    with pytest.raises(AssertionError):
        properties.check(number, lambda: wrong, 30, simplify=False)


def test_linux() -> None:
    """Linux has processes, and no grates."""
    try:
        linux = AdapterRuns(find.make("linux", {}))
    except AdapterError as error:
        pytest.skip(str(error))
    properties.check("40", lambda: linux, 1, simplify=False)
    with pytest.raises(properties.NotRelevant, match="statement 30: needs grates"):
        properties.check("30", lambda: linux)


def test_an_adapter_without_scripts() -> None:
    """One line says so."""
    with pytest.raises(AdapterError, match=r"^adapter recorded: it takes no scripts"):
        AdapterRuns(_Programs(), "recorded")


class _Programs(Lindref):
    """Takes programs only."""

    def describe(self):  # type: ignore[no-untyped-def]
        from lindref import classes

        return classes.evolve(super().describe(), kinds=frozenset({"program"}))
