"""What a script's steps let be seen, held against what the model shows of the same script."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lindref import classes
from lindref.conformance.adapters.interface import Description, Observed
from lindref.conformance.campaign.reference import Reference, rule_of
from lindref.conformance.campaign.result import Status
from lindref.conformance.campaign.said import ALLOWED, Verdict
from lindref.conformance.vectors import linux
from lindref.conformance.vectors.compare import Row, rows
from lindref.conformance.vectors.model import Vector
from lindref.conformance.vectors.play import VectorSystem
from lindref.posix.table import CALLS
from lindref.profile import Profile, by_name
from lindref.system.choices import Seeded

_RULE = re.compile(r"\b[A-Z0-9]+-\d+\b")
#: Schedules that are tried before an observation that was not met counts as unknown.
SCHEDULES = 40

Observation = Mapping[str, Any]


def verdict(
    vector: Vector, said: Description, seen: Observed, model: Reference, schedules: int = SCHEDULES
) -> Verdict:
    """Whether a run of ``vector`` may show this; where things may go either way, so many other schedules are tried."""
    if seen.seen is None or model.observed.seen is None:
        return Verdict(Status.BROKEN, "no observation of the script")
    row, reasons = differs(vector, said, seen.seen, model.observed.seen)
    if row is None:
        return Verdict(Status.ALLOWED, f"differs as Linux does: {', '.join(reasons)}", reasons) if reasons else ALLOWED
    if not model.choices:
        return Verdict(Status.FORBIDDEN, text(row), _rules(row, model))
    same = True
    for other in other_observations(vector, by_name(said.profile), schedules):
        elsewhere, _ = differs(vector, said, seen.seen, other)
        if elsewhere is None:
            return ALLOWED
        same &= (elsewhere.what, elsewhere.cage, elsewhere.played) == (row.what, row.cage, row.played)
    # What no schedule changes is no matter of schedules.
    status = Status.FORBIDDEN if same else Status.UNKNOWN
    return Verdict(status, f"{text(row)} (under {schedules + 1} schedules)", _rules(row, model))


def other_observations(vector: Vector, profile: Profile, schedules: int = SCHEDULES) -> Iterator[Observation]:
    """What the model shows of a script under other schedules."""
    for seed in range(schedules):
        yield VectorSystem(vector, profile, Seeded(seed)).seen(vector)


def differs(
    vector: Vector, said: Description, seen: Observation, wanted: Observation
) -> tuple[Row | None, tuple[str, ...]]:
    """The first thing seen that the model does not show, ``None`` where there is none; and the rules by which an
    implementation that is Linux differs.
    """
    # What was seen stands where a recording would: it may have blanks where something changes from run to run.
    seen = _steady(seen)
    held = classes.evolve(vector, lind=seen)
    found = rows(held, seen, wanted)
    if said.is_linux:
        explained, row = linux.explain(found)
        return row, tuple(dict.fromkeys(rule for _, rule in explained))
    return next((row for row in found if not row.same), None), ()


def _steady(seen: Observation) -> Observation:
    """An observation without the bytes of stat structures, which hold times, unless those are blank in it, as in
    recordings; their fields say the rest.
    """
    return {**seen, "log": [_without_raw(entry) for entry in seen["log"]]}


def _without_raw(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    dumps = entry.get("dump")
    if not dumps:
        return entry
    kept = [
        {key: value for key, value in one.items() if key != "raw"}
        if isinstance(one, dict) and "?" not in one.get("raw", "?")
        else one
        for one in dumps
    ]
    return {**entry, "dump": kept}


def text(row: Row) -> str:
    """A difference in one line."""
    at = f"cage {row.cage} {row.what}" if row.cage else row.what
    name = f" {row.step.get('name') or row.step['op']}" if row.step is not None else ""
    return f"{at}{name}: {_plain(row.recorded)}, not {_plain(row.played)}"


def _plain(entry: Any) -> str:
    """An entry without what the difference says already."""
    if entry is None:
        return "nothing"
    if isinstance(entry, dict):
        entry = {key: value for key, value in entry.items() if key not in ("cage", "step")}
    return f"{entry!r:.300}"


def _rules(row: Row, model: Reference) -> tuple[str, ...]:
    """The rule that the model's run showed at the call that a difference is about; where it showed none, as that call
    did not fail, those that the call is made by.
    """
    number = None if row.step is None else row.step.get("n")
    if not isinstance(number, int):
        return ()
    rule = rule_of(model.observed.records(), row.cage, number)
    if rule:
        return (rule,)
    made_by = CALLS[number].handler.__doc__ if number in CALLS else None
    return tuple(dict.fromkeys(_RULE.findall(made_by or "")))
