"""What differs in a script, in as few calls as can be found: as a script, as C, and as a vector."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from lindref import classes
from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.interface import Adapter, Description, NotApplicable
from lindref.conformance.campaign import observations
from lindref.conformance.campaign.reference import reference
from lindref.conformance.campaign.result import Result, Status
from lindref.conformance.campaign.said import Verdict
from lindref.conformance.scripts import c, text, vector
from lindref.conformance.vectors.model import Vector, VectorError

#: Schedules that a script is held against while it is shrunk; the one that is found, against all.
FEW = 4


def shortened(adapter: Adapter, said: Description, case: Case, result: Result, tries: int, seconds: float) -> Result:
    """The result with the script in its three forms, shrunk within so many tries and seconds."""
    assert case.script is not None
    until = time.monotonic() + seconds

    def shows(one: Vector) -> bool:
        if time.monotonic() > until:
            return False
        return _verdict(adapter, said, one, FEW)[0].status is Status.FORBIDDEN

    # What the recording says is of the whole; the shrunk one is held against the model.
    whole = classes.evolve(case.script, lind={}, linux=None)
    small = _shrunk(whole, shows, tries)
    verdict, observed = _verdict(adapter, said, small, observations.SCHEDULES)
    if small is not whole and verdict.status is not Status.FORBIDDEN:
        # A schedule that was not tried shows it: what is known to differ is the whole.
        small = whole
        verdict, observed = _verdict(adapter, said, small, observations.SCHEDULES)
    detail, rules = result.detail, result.rules
    if small is not whole:
        detail, rules = verdict.detail, verdict.rules or rules
    forms = {
        "script": text.text(small),
        "c": c.text(small),
        "vector": vector.text(small, observed, is_linux=said.is_linux),
    }
    return classes.evolve(result, detail=detail, rules=rules, scripts=forms)


def _shrunk(whole: Vector, shows: Callable[[Vector], bool], tries: int) -> Vector:
    if not tries or find_spec("hypothesis") is None:
        return whole  # without Hypothesis (extra properties) it stays as it is
    from lindref.conformance.scripts.shrink import shrunk

    return shrunk(whole, shows, tries)


def _verdict(
    adapter: Adapter, said: Description, script: Vector, schedules: int
) -> tuple[Verdict, Mapping[str, Any] | None]:
    """What a script shows, and the verdict on it after so many schedules."""
    case = Case(script.id, script=script)
    try:
        model = reference(case, said.profile)
        if said.why_not(case, model.needs):
            return Verdict(Status.NOT_APPLICABLE), None
        if hasattr(adapter, "reset"):
            adapter.reset()
        found = adapter.run(case)
    except (NotApplicable, VectorError):
        return Verdict(Status.NOT_APPLICABLE), None
    except Exception as error:  # noqa: BLE001 (whatever somebody else's adapter raises)
        return Verdict(Status.BROKEN, str(error)), None
    return observations.verdict(script, said, found, model, schedules), found.seen
