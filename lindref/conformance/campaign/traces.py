"""The calls of a run one by one, held against the specification."""

from __future__ import annotations

from pathlib import Path

from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.interface import Description, Observed
from lindref.conformance.campaign.reference import Reference
from lindref.conformance.campaign.result import Status
from lindref.conformance.campaign.said import ALLOWED, Verdict
from lindref.conformance.vectors.model import Vector, VectorError
from lindref.conformance.vectors.play import VectorSystem
from lindref.conformance.vectors.traces import follow, load_trace
from lindref.profile import by_name
from lindref.trace.diff import Comparison
from lindref.trace.reader import TraceError


def verdict(case: Case, said: Description, seen: Observed, model: Reference) -> Verdict:
    """Whether the calls of ``seen.trace`` may go as they did."""
    try:
        with seen.read_trace() as theirs:
            if case.script is not None and isinstance(seen.trace, Path) and theirs.recorded:
                return _followed(case.script, said, seen.trace)
            if model.choices or model.observed.trace is None or not said.same_calls:
                for _ in theirs:
                    pass  # it is to be one at least
                return ALLOWED
            with model.observed.read_trace() as ours:
                found = Comparison(ours, theirs).run()
    except (TraceError, VectorError, OSError) as error:
        return Verdict(Status.BROKEN, f"its trace cannot be read: {error}")
    if found is None:
        return ALLOWED
    before = f", after {found.context[-1].strip()}" if found.context else ""
    return Verdict(Status.FORBIDDEN, f"{found.what}{before}")


def _followed(vector: Vector, said: Description, path: Path) -> Verdict:
    """A recorded trace of a script: some order of the threads has to make the same calls."""
    profile = by_name(said.profile)
    differs, _ = follow(load_trace(path), vector, lambda chooser: VectorSystem(vector, profile, chooser))
    return Verdict(Status.FORBIDDEN, differs) if differs else ALLOWED
