"""Trying statements on implementations: each a Hypothesis test of its own, the same examples every time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from unittest import SkipTest

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from lindref.properties import (
    about_capabilities,
    about_copies,
    about_runs,
    about_signals,
    about_tables,
    about_threads,
    about_workers,
)
from lindref.properties.copies import Copier
from lindref.properties.runs import Runs
from lindref.properties.statements import STATEMENTS, NotRelevant, Statement
from lindref.properties.strategies import histories
from lindref.properties.tables import BOOTED, Tables

#: The modules that enter statements.
SUBJECTS = (
    about_tables,
    about_copies,
    about_runs,
    about_threads,
    about_workers,
    about_signals,
    about_capabilities,
)

Make = Callable[[], Any]

#: After so many examples that say nothing about an implementation, and none that does, no more are made.
HOPELESS = 10


def check(number: str | int, make: Make, examples: int = 100, *, simplify: bool = True) -> None:
    """Try one statement on what ``make()`` makes. Raises what the attempt raised (mostly ``AssertionError``), with the
    example in its notes, the simplest one unless ``simplify`` is false; ``NotRelevant`` where the implementation can do
    none of the examples, or the statement says nothing about it (``Statement.why_not``).
    """
    statement = STATEMENTS[str(number)]
    reasons: list[str] = []
    tried = 0
    common = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        print_blob=False,
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if simplify else [])],
        suppress_health_check=list(HealthCheck),
    )
    if statement.subject == "tables":
        common(given(histories(), st.data())(_on_tables(statement, make)))()
    else:

        def attempt(data: Any) -> None:
            nonlocal tried
            try:
                implementation = make()
                reason = statement.why_not(implementation)
                if reason:
                    raise NotRelevant(reason)
                statement.attempt(implementation, data)
            except NotRelevant as error:
                reasons.append(str(error))
                if len(reasons) == HOPELESS and not tried:
                    raise SkipTest(str(error)) from None  # the one exception that ends everything at once
                raise
            tried += 1

        try:
            common(given(st.data())(attempt))()
        except (Unsatisfiable, SkipTest):
            raise NotRelevant(f"statement {number}: {reasons[0] if reasons else 'no example'}") from None


def _on_tables(statement: Statement, make: Make) -> Callable[..., None]:
    def attempt(history: Iterable[Any], data: Any) -> None:
        tables = make()
        tables.boot(1, BOOTED)
        for operation in history:
            operation.apply(tables)
        statement.attempt(tables, data)

    return attempt


def _all(subject: str, make: Make, examples: int) -> list[str]:
    numbers = [s.number for s in STATEMENTS.values() if s.subject == subject]
    tried = []
    for number in numbers:
        try:
            check(number, make, examples)
        except NotRelevant:
            continue
        tried.append(number)
    return tried


def check_tables(make: Callable[[], Tables], examples: int = 100) -> list[str]:
    """Try all statements about handler tables; their numbers."""
    return _all("tables", make, examples)


def check_copies(make: Callable[[], Copier], examples: int = 100) -> list[str]:
    """Try all statements about copying data; their numbers."""
    return _all("copies", make, examples)


def check_runs(make: Callable[[], Runs], examples: int = 25) -> list[str]:
    """Try all statements about whole runs; the numbers of those that are relevant to the implementation."""
    return _all("runs", make, examples)
