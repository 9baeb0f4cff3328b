"""Recordings of the real runtime judged along their script: some order of its threads has to make the same calls.

A recording tells neither when a call came back nor which thread made it (docs/trace.md), so it is no program by itself.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from lindref.conformance.oracle.verdict import Judgement, Verdict
from lindref.conformance.oracle.why import Why
from lindref.conformance.vectors.model import Vector, VectorError
from lindref.conformance.vectors.play import VectorSystem, prepare
from lindref.conformance.vectors.traces import Call, CallLog, difference, follow, load_trace
from lindref.posix.table import CALLS
from lindref.profile import Profile
from lindref.system.choices import Chooser
from lindref.trace.reader import Reader


def judge_recording(path: Path, vector: Vector, profile: Profile) -> Judgement:
    """Whether a run of ``vector`` makes the calls that were recorded (JUDGE-7)."""
    try:
        recorded = load_trace(path)
    except (VectorError, OSError) as error:
        return Judgement(Verdict.BROKEN, "FORMAT-3", str(error))
    calls = len(recorded)

    def make(chooser: Chooser | None = None) -> VectorSystem:
        return VectorSystem(vector, profile, chooser)

    differs, _ = follow(recorded, vector, make)
    if not differs:
        return Judgement(Verdict.ALLOWED, calls=calls)
    system = make()
    log = CallLog(system)
    prepare(system, vector)
    system.run()
    found = _first(recorded, log.calls)
    rule = Why(CALLS).general(found.number) if found is not None else "JUDGE-7"
    if found is not None and " by " in differs and _handlers_differ(differs):
        rule = "3I-ROUTE-2"
    line = recorded.index(found) + 1 if found is not None and found in recorded else 0
    lines = path.read_bytes().splitlines(keepends=True)[:line]
    prefix = tuple(Reader(io.BytesIO(b"".join(lines)), str(path))) if lines else ()
    return Judgement(Verdict.FORBIDDEN, rule, differs, line=line, prefix=prefix, calls=calls)


def _first(recorded: Sequence[Call], played: Sequence[Call]) -> Call | None:
    """The recorded call that no run makes, or the one of the run that was not recorded."""
    low = 0
    for count in range(1, len(recorded) + 1):
        text, _ = difference(recorded[:count], played)
        if text and ", played None" not in text and "recorded None" not in text:
            return recorded[count - 1]
        low = count
    text, place = difference(recorded, played)
    if place is not None and place < len(played):
        return played[place]
    return recorded[low - 1] if low else None


def _handlers_differ(text: str) -> bool:
    """Whether a difference is about who serves a call."""
    served = [part.split(",", 1)[0] for part in text.split(" by ")[1:3]]
    return len(served) == 2 and served[0] != served[1]
