"""The model's own run of a case: what it shows, which rules it reaches, and what the case needs."""

from __future__ import annotations

from collections.abc import Iterable

from lindref import classes
from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.interface import Observed
from lindref.conformance.adapters.own import Lindref
from lindref.conformance.campaign.watch import Watch
from lindref.system.system import System
from lindref.threei.numbers import THREEI_CALLS
from lindref.trace.format import Record


@classes.frozen
class Reference:
    """What the model's run showed. ``choices``: whether it passed a place where anything could go otherwise."""

    observed: Observed
    rules: tuple[str, ...]
    needs: frozenset[str]
    choices: bool


class _Watched(Lindref):
    """The model, watched."""

    def __init__(self, profile: str) -> None:
        super().__init__(profile)
        self.watch = Watch()

    def made(self, system: System) -> None:
        """Watch what it does."""
        self.watch.attach(system)


def reference(case: Case, profile: str) -> Reference:
    """Run ``case`` on the model. Raises ``NotApplicable`` where the model cannot."""
    model = _Watched(profile)
    with model.watch.watching():
        seen = model.run(case)
    if seen.trace is None:
        return Reference(seen, case.rules, case.needs, choices=False)
    records = seen.records()
    rules = sorted({*case.rules, *(r["rule"] for r in records if "rule" in r), *model.watch.rules()})
    return Reference(
        seen, tuple(rules), case.needs | needs(records, case), any(r["event"] == "choice" for r in records)
    )


def needs(records: Iterable[Record], case: Case) -> frozenset[str]:
    """The features that a run made use of."""
    found: set[str] = set()
    images = 0
    for record in records:
        event = record["event"]
        if event == "spawn":
            found.add("threads" if record["child"] == record["cage"] else "fork")
        elif event == "exec":
            images += 1
        elif event == "signal" or (event == "end" and record.get("signal")):
            found.add("signals")
        elif event == "enter" and record["number"] in THREEI_CALLS:
            found.add("grates")
    if images > 1:
        found.add("exec")
    if case.program is not None and case.program.stdin:
        found.add("stdin")
    return frozenset(found)


def rule_of(records: Iterable[Record], cage: int, number: int) -> str:
    """The rule that the first call ``number`` of ``cage`` showed as it came back, "" where none did."""
    calls = set()
    for record in records:
        if record["event"] == "enter" and record["cage"] == cage and record["number"] == number:
            calls.add(record["call"])
        elif record["event"] == "exit" and record["call"] in calls and "rule" in record:
            return str(record["rule"])
    return ""
