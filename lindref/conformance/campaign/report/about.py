"""A campaign as the reports see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lindref import classes
from lindref.conformance.adapters.interface import Description
from lindref.conformance.campaign.coverage import Covered
from lindref.conformance.campaign.result import Result


@classes.frozen
class Campaign:
    """What was run on what, and what came of it. ``suites`` are in the order of the command line."""

    said: Description
    options: Mapping[str, str]
    suites: tuple[str, ...]
    results: Sequence[Result]
    covered: Sequence[Covered]


def suite_of(result: Result) -> str:
    """The suite of a case: the first part of its id."""
    return result.case.partition(".")[0]
