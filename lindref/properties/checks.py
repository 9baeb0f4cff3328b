"""Trying statements on implementations: each a Hypothesis test of its own, the same examples every time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

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
from lindref.properties.statements import STATEMENTS, Statement
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


def check(number: str | int, make: Make, examples: int = 100, *, simplify: bool = True) -> None:
    """Try one statement on what ``make()`` makes. Raises what the attempt raised (mostly ``AssertionError``), with the
    example in its notes, the simplest one unless ``simplify`` is false.
    """
    statement = STATEMENTS[str(number)]
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
            statement.attempt(make(), data)

        common(given(st.data())(attempt))()


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
    for number in numbers:
        check(number, make, examples)
    return numbers


def check_tables(make: Callable[[], Tables], examples: int = 100) -> list[str]:
    """Try all statements about handler tables; their numbers."""
    return _all("tables", make, examples)


def check_copies(make: Callable[[], Copier], examples: int = 100) -> list[str]:
    """Try all statements about copying data; their numbers."""
    return _all("copies", make, examples)


def check_runs(make: Callable[[], Runs], examples: int = 25) -> list[str]:
    """Try all statements about whole runs; their numbers."""
    return _all("runs", make, examples)
