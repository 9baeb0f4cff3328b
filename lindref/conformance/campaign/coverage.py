"""Coverage by rule: which rules the cases of a campaign reached, and why the others were not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from lindref import classes
from lindref.conformance.adapters.interface import FEATURES, Description
from lindref.conformance.campaign.result import Result, Status
from lindref.conformance.resources import folder
from lindref.conformance.rules import family, rules

#: Files of the specification, families of rules, or rules that say nothing about an implementation.
ABOUT_US: Mapping[str, str] = {
    "explore.md": "about how lindref explores schedules",
    "trace.md": "about how traces are written and read",
    "travel.md": "about going backwards in lindref's runs",
    "grates.md": "about grates written in Python",
    "oracle.md": "about how traces are judged",
    "linux.md": "about where the specification is not Linux",
    "BOOT": "about how lindref begins a run",
    "RUN": "about how lindref ends a run",
    "STATE": "about saved states of lindref",
    "SCRIPT": "about scripts within lindref",
    "TRACE": "about lindref's text of calls",
    "EVENT": "about lindref's events",
    "ROOT": "about the roots that lindref gives its runs",
    "SCHED": "about how lindref chooses among schedules",
    "CAP": "only with strict capabilities",
    "CONS-2": "about how lindref fetches input: a campaign gives it all at once",
    "TIME-8": "only with the real clock",
    "MACH-2": "about lindref's machine",
    "MACH-3": "about lindref's machine",
    "MACH-4": "about lindref's machine",
    "MACH-6": "about lindref's machine",
    "MACH-8": "about lindref's machine",
}
#: Families that cannot be reached without a feature.
NEEDS: Mapping[str, str] = {
    "FORK": "fork",
    "WAIT": "fork",
    "EXEC": "exec",
    "3I-EXEC": "exec",
    "3I-FORK": "fork",
    "THREAD": "threads",
    "FUTEX": "threads",
    "SIG": "signals",
    "3I-REG": "grates",
    "3I-COPY": "grates",
    "3I-DATA": "grates",
    "3I-GRATE": "grates",
    "3I-TABLE": "grates",
    "DYN": "dynamic",
    "DL": "dynamic",
}


class Reach(Enum):
    """How far a campaign came with a rule."""

    REACHED = "reached"
    IMPOSSIBLE = "impossible"
    NOT_RELEVANT = "not relevant"
    UNTESTED = "untested"


@classes.frozen
class Covered:
    """A rule with how far it was reached: ``cases`` says by how many, ``broken`` by how many that failed there."""

    rule: str
    text: str
    file: str
    reach: Reach
    reason: str = ""
    cases: int = 0
    failed: int = 0


def coverage(results: Sequence[Result], said: Description) -> list[Covered]:
    """Every rule of the specification, in its order."""
    ran: dict[str, int] = {}
    failed: dict[str, int] = {}
    barred: dict[str, str] = {}
    for result in results:
        for rule in result.reached:
            if result.status is Status.NOT_APPLICABLE:
                barred.setdefault(rule, f"{result.case}: {result.detail}")
            elif result.status is not Status.BROKEN:
                ran[rule] = ran.get(rule, 0) + 1
        for rule in result.rules:
            failed[rule] = failed.get(rule, 0) + (result.status is Status.FORBIDDEN)
    out = []
    for one in rules(folder("spec")):
        reach, reason = _reach(one.id, one.file, said, ran, barred)
        out.append(Covered(one.id, one.text, one.file, reach, reason, ran.get(one.id, 0), failed.get(one.id, 0)))
    return out


def _reach(
    rule: str, file: str, said: Description, ran: Mapping[str, int], barred: Mapping[str, str]
) -> tuple[Reach, str]:
    kin = family(rule)
    if rule in ran:
        return Reach.REACHED, ""
    about = ABOUT_US.get(file, "") or ABOUT_US.get(kin, "") or ABOUT_US.get(rule, "")
    if about:
        return Reach.NOT_RELEVANT, about
    need = NEEDS.get(kin, "")
    if need and need not in said.features:
        because = said.lacks.get(need, "")
        return Reach.IMPOSSIBLE, f"needs {need}: {FEATURES[need]}" + (f" ({because})" if because else "")
    if rule in barred:
        return Reach.IMPOSSIBLE, barred[rule]
    return Reach.UNTESTED, "no case that ran shows it"
