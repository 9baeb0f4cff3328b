"""What a run wrote and how it ended, held against what it may: declared outcomes, recorded answers, the model's."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lindref.conformance.adapters.case import Case, Program
from lindref.conformance.adapters.interface import Description, Observed
from lindref.conformance.adapters.own import MAX_TICKS, Lindref
from lindref.conformance.campaign import observations
from lindref.conformance.campaign.reference import Reference
from lindref.conformance.campaign.result import Status
from lindref.conformance.campaign.said import ALLOWED, Verdict
from lindref.explore.exhaustive import Bounds, deepen
from lindref.system.runtime import Config

#: States that are looked at before an outcome that was not met counts as unknown.
STATES = 5_000

Outcome = Mapping[str, Any]


def verdict(case: Case, said: Description, seen: Observed, model: Reference) -> Verdict:
    """Whether what was seen of ``case`` may be seen."""
    if case.script is not None:
        return observations.verdict(case.script, said, seen, model)
    if case.calls is not None:
        return _module(case, seen, model)
    assert case.program is not None
    declared = case.expected.get(said.profile)
    if declared is not None:
        return _among(declared, seen, complete=True)
    wanted = [_shown(model.observed)]
    if any(not _misses(one, seen) for one in wanted) or not model.choices:
        return _among(wanted, seen, complete=True)
    others, complete = other_outcomes(case.program, said.profile)
    return _among([*wanted, *others], seen, complete=complete)


# Programs.


def _shown(seen: Observed) -> Outcome:
    return {"stdout": seen.stdout, "status": seen.status}


def other_outcomes(program: Program, profile: str) -> tuple[list[Outcome], bool]:
    """Outcomes of the model under other schedules, and whether there are no others."""
    config = Config(max_ticks=MAX_TICKS, accesses="shared")
    with tempfile.TemporaryDirectory(prefix="lindref-") as place:
        system = Lindref(profile, engine="reference").booted(program.copy_to(Path(place)), config)
        found, search = deepen(system, Bounds(states=STATES))
    outcomes: list[Outcome] = [{"stdout": one.stdout, "status": one.exit_status} for one in found.found]
    return outcomes, search.complete and not search.cut


def _bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def _misses(outcome: Outcome, seen: Observed) -> str:
    """The first thing in which what was seen is not this outcome, "" where it is."""
    for name in ("status", "stdout", "stderr"):
        wanted, found = _bytes(outcome.get(name)), getattr(seen, name)
        if wanted is not None and found is not None and wanted != found:
            if name == "status":
                return f"exit status {found}, not {wanted}" + (f" ({seen.note})" if seen.note else "")
            return f"{name} {_difference(wanted, found)}"
    return ""


def _difference(wanted: bytes, found: bytes) -> str:
    """Two outputs where they part: the line, as each has it."""
    ours, theirs = wanted.splitlines(keepends=True), found.splitlines(keepends=True)
    for number in range(max(len(ours), len(theirs))):
        one = ours[number] if number < len(ours) else b""
        other = theirs[number] if number < len(theirs) else b""
        if one != other:
            return f"line {number + 1}: {_line(other)}, not {_line(one)}"
    return "differs"


def _line(data: bytes) -> str:
    return repr(data.decode("utf-8", "backslashreplace"))[:160] if data else "nothing"


def _among(outcomes: Any, seen: Observed, *, complete: bool) -> Verdict:
    """Whether what was seen is one of ``outcomes``; ``complete``: there are no others."""
    first, many = "", 0
    for outcome in outcomes:
        missing = _misses(outcome, seen)
        if not missing:
            return ALLOWED
        first, many = first or missing, many + 1
    if complete:
        more = f" (nor one of {many - 1} other outcomes)" if many > 1 else ""
        return Verdict(Status.FORBIDDEN, first + more)
    return Verdict(Status.UNKNOWN, f"{first}; not met among the {many} outcomes that were found")


# Modules.


def _module(case: Case, seen: Observed, model: Reference) -> Verdict:
    assert case.calls is not None
    wanted, found = model.observed.results, seen.results
    if found is None or wanted is None:
        return Verdict(Status.BROKEN, "no results of the calls")
    names = [name for name, _ in case.calls.calls]
    for number in range(max(len(wanted), len(found))):
        one = wanted[number] if number < len(wanted) else "nothing"
        other = found[number] if number < len(found) else "nothing"
        if one != other:
            what = f"call {number} of {names[number]!r}" if number < len(names) else "state after the calls"
            return Verdict(Status.FORBIDDEN, f"{what}: {_bits(other)}, not {_bits(one)}")
    return ALLOWED


def _bits(result: Any) -> str:
    if isinstance(result, str):
        return result
    return "(" + ", ".join(f"{kind} {bits:#x}" for kind, bits in result) + ")"
