"""One case on one implementation: run it, hold what was seen against the specification, say the verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from lindref import classes
from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.interface import Adapter, Description, NotApplicable, Observed
from lindref.conformance.campaign import outputs, traces
from lindref.conformance.campaign.reference import Reference, reference
from lindref.conformance.campaign.result import Result, Status
from lindref.conformance.campaign.said import Verdict

#: How much of the standard output a result keeps, in bytes.
KEPT = 4096
#: Phases of ``examine``: only the implementation's own makes a case broken that takes too long.
MODEL, RUNS, JUDGING = "model", "runs", "judging"


def one_line(error: BaseException) -> str:
    """An exception as a line for people."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__


def examine(adapter: Adapter, said: Description, case: Case, phase: Callable[[str], None] = lambda _: None) -> Result:
    """The result of ``case``. Nothing that the implementation does raises; ``phase`` is told what comes next."""
    known = Result(case.id, case.kind, Status.NOT_APPLICABLE, title=case.title, cell=case.cell)
    reason = case.unfit.get(said.profile, "") or said.why_not(case, case.needs)
    if reason:
        return classes.evolve(known, detail=reason, reached=case.rules)
    phase(MODEL)
    try:
        model = reference(case, said.profile)
    except NotApplicable as error:
        return classes.evolve(known, detail=str(error))
    known = classes.evolve(known, reached=model.rules)
    reason = said.why_not(case, model.needs)
    if reason:
        return classes.evolve(known, detail=reason)
    phase(RUNS)
    begun = time.monotonic()
    try:
        seen = adapter.run(case)
        problem = misshapen(seen, said)
    except NotApplicable as error:
        return classes.evolve(known, detail=str(error) or "not applicable, says the adapter")
    except Exception as error:  # noqa: BLE001 (whatever somebody else's adapter raises is this case's verdict)
        return classes.evolve(known, status=Status.BROKEN, detail=f"the adapter raised {one_line(error)}")
    if problem:
        return classes.evolve(known, status=Status.BROKEN, detail=problem)
    known = classes.evolve(known, seconds=round(time.monotonic() - begun, 3), output=_text(seen.stdout))
    phase(JUDGING)
    verdict = _judge(case, said, seen, model)
    return classes.evolve(known, status=verdict.status, detail=verdict.detail, rules=verdict.rules)


def _text(data: bytes | None) -> str:
    return (data or b"")[:KEPT].decode("utf-8", "backslashreplace")


def misshapen(seen: Any, said: Description) -> str:
    """What is wrong with what an adapter's ``run`` gave, "" for nothing."""
    if not isinstance(seen, Observed):
        return f"the adapter's run() gave {type(seen).__name__}, not an Observed"
    kinds: Mapping[str, type] = {"status": int, "stdout": bytes, "stderr": bytes, "seen": dict, "results": tuple}
    for name, kind in kinds.items():
        value = getattr(seen, name)
        if value is not None and not isinstance(value, kind):
            return f"the adapter observed a {name} that is {type(value).__name__}, not {kind.__name__}"
    if said.observes and seen.trace is None and seen.results is None:
        return "no trace, though the adapter says that it observes " + ", ".join(sorted(said.observes))
    if seen == Observed(note=seen.note):
        return "the adapter observed nothing" + (f" ({seen.note})" if seen.note else "")
    return ""


def _judge(case: Case, said: Description, seen: Observed, model: Reference) -> Verdict:
    """What was seen against what the specification allows: the outputs first, then the calls one by one."""
    verdict = outputs.verdict(case, said, seen, model)
    if seen.trace is None or verdict.status not in (Status.ALLOWED, Status.FORBIDDEN):
        return verdict
    calls = traces.verdict(case, said, seen, model)
    if calls.status in (Status.FORBIDDEN, Status.BROKEN):
        # The calls tell more about why: the rule, and the first one that differs.
        return calls
    return verdict if verdict.status is not Status.ALLOWED else calls
