"""The calls of a run one by one, held against the specification."""

from __future__ import annotations

from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.interface import Description, Observed
from lindref.conformance.campaign.reference import Reference
from lindref.conformance.campaign.result import Status
from lindref.conformance.campaign.said import ALLOWED, Verdict
from lindref.trace.diff import Comparison
from lindref.trace.reader import TraceError


def verdict(case: Case, said: Description, seen: Observed, model: Reference) -> Verdict:
    """Whether the calls of ``seen.trace`` may go as they did."""
    del case
    try:
        if model.choices or model.observed.trace is None or not said.same_calls:
            for _ in seen.read_trace():
                pass  # it is to be one at least
            return ALLOWED
        found = Comparison(model.observed.read_trace(), seen.read_trace()).run()
    except (TraceError, OSError) as error:
        return Verdict(Status.BROKEN, f"its trace cannot be read: {error}")
    if found is None:
        return ALLOWED
    before = f", after {found.context[-1].strip()}" if found.context else ""
    return Verdict(Status.FORBIDDEN, f"{found.what}{before}")
