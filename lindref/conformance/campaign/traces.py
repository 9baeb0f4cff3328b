"""The calls of a run one by one, held against the specification.

Where nothing in the model's run could go otherwise, the two runs have to agree call by call; where they do not, and
where there was a choice, the oracle judges what was observed by itself.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.interface import Description, Observed
from lindref.conformance.campaign.reference import Reference
from lindref.conformance.campaign.result import Status
from lindref.conformance.campaign.said import ALLOWED, Verdict
from lindref.conformance.oracle.judge import judge
from lindref.conformance.oracle.scripts import world_of
from lindref.conformance.oracle.verdict import Judgement
from lindref.conformance.oracle.world import World
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
            if seen.own_calls or not said.same_calls or model.observed.trace is None:
                for _ in theirs:
                    pass  # it is to be a trace at least
                return ALLOWED
            with model.observed.read_trace() as ours:
                found = Comparison(ours, theirs).run()
    except (TraceError, VectorError, OSError) as error:
        return Verdict(Status.BROKEN, f"its trace cannot be read: {error}")
    if found is None:
        return ALLOWED
    judged = _judged(case, said, seen)
    if judged.verdict.value == Status.ALLOWED.value:
        return ALLOWED
    before = f", after {found.context[-1].strip()}" if found.context else ""
    told = _text(judged) or f"{found.what}{before}"
    rules = (judged.rule,) if judged.rule else ()
    if "spawn" not in said.observes and model.needs & {"fork", "threads", "grates"}:
        # Who makes a call beside whose table it names is not seen: calls of several cannot be told apart for certain.
        return Verdict(Status.UNKNOWN, told, rules)
    return Verdict(Status(judged.verdict.value), told, rules)


def _judged(case: Case, said: Description, seen: Observed) -> Judgement:
    """What the oracle says of the trace."""
    profile = by_name(said.profile)
    with seen.read_trace() as trace:
        if case.script is not None:
            return judge(trace, profile, world=world_of(case.script))
        if case.program is None:
            return judge(trace, profile)
        with tempfile.TemporaryDirectory(prefix="lindref-") as place:
            root = case.program.copy_to(Path(place)).folder
            return judge(trace, profile, world=World(root=str(root), unknown=False))


def _text(judged: Judgement) -> str:
    """A judgement in one line."""
    instead = f" (allowed: {'; '.join(judged.alternatives)})" if judged.alternatives else ""
    return " ".join(part for part in (judged.call, judged.what) if part) + instead


def _followed(vector: Vector, said: Description, path: Path) -> Verdict:
    """A recorded trace of a script: some order of the threads has to make the same calls."""
    profile = by_name(said.profile)
    differs, _ = follow(load_trace(path), vector, lambda chooser: VectorSystem(vector, profile, chooser))
    return Verdict(Status.FORBIDDEN, differs) if differs else ALLOWED
