"""``lindref conform mutants``: the oracle tested: which faults in a copy of the model it finds out (JUDGE-9)."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from lindref.conformance.mutants.catalogue import MUTANTS
from lindref.conformance.mutants.hunt import Report, hunt_all
from lindref.conformance.mutants.patch import Mutant
from lindref.conformance.progress import Bar
from lindref.conformance.scripts.shrink import size
from lindref.conformance.vectors.command import find
from lindref.conformance.vectors.model import load


def select(names: Sequence[str]) -> list[Mutant]:
    """The mutants of these names or areas, all without any. Raises ``LookupError`` with one line."""
    if not names:
        return list(MUTANTS.values())
    areas = {mutant.area for mutant in MUTANTS.values()}
    for name in names:
        if name not in MUTANTS and name not in areas:
            raise LookupError(f"no mutant or area {name!r} (areas: {', '.join(sorted(areas))})")
    return [one for one in MUTANTS.values() if one.name in names or one.area in names]


def run(names: Sequence[str], paths: Sequence[str], profile: str, *, as_json: bool, shrinks: bool) -> int:
    """Hunt the mutants, tell what became of each, and count; 1 where one that can be told apart was not found out.

    Raises ``LookupError``, ``VectorError``, ``OSError``.
    """
    chosen = select(names)
    vectors = [one for path in find(paths) for one in load(path)] if paths else []
    bar = Bar(len(chosen), sys.stderr)
    reports = []
    for report in hunt_all(chosen, vectors, profile, bar.show, shrinks=shrinks):
        reports.append(report)
        if not as_json:
            bar.clear()
            sys.stdout.write(f"{line(report)}\n")
    bar.clear()
    missed = [one for one in reports if one.caught is None and not one.mutant.equivalent]
    if as_json:
        sys.stdout.write(json.dumps([value(one) for one in reports], indent=1, ensure_ascii=False) + "\n")
    else:
        equivalent = sum(one.caught is None and bool(one.mutant.equivalent) for one in reports)
        caught = sum(one.caught is not None for one in reports)
        sys.stdout.write(f"{caught} caught, {len(missed)} missed, {equivalent} equivalent\n")
    return 1 if missed else 0


def line(report: Report) -> str:
    """What became of a mutant, in a line."""
    mutant, caught = report.mutant, report.caught
    head = f"{mutant.name:<24} {mutant.about}: "
    if caught is None:
        return head + (f"equivalent: {mutant.equivalent}" if mutant.equivalent else f"MISSED in {report.tried} scripts")
    how = "trace" if caught.by_trace else "outcome"
    return f"{head}{caught.rule} by its {how}, {size(caught.script)} steps, {caught.calls} calls ({caught.script.id})"


def value(report: Report) -> dict[str, Any]:
    """The same as JSON."""
    caught = report.caught
    found: dict[str, Any] = {
        "mutant": report.mutant.name,
        "area": report.mutant.area,
        "about": report.mutant.about,
        "caught": caught is not None,
        "tried": report.tried,
    }
    if report.mutant.equivalent:
        found["equivalent"] = report.mutant.equivalent
    if caught is not None:
        found |= {
            "rule": caught.rule,
            "what": caught.what,
            "by": "trace" if caught.by_trace else "outcome",
            "steps": size(caught.script),
            "calls": caught.calls,
            "script": {"id": caught.script.id, "programs": caught.script.programs, "files": list(caught.script.files)},
        }
    return found
