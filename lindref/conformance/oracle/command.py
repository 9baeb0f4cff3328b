"""``lindref trace check``: judges traces, says what each verdict rests on, and counts them in its exit status."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from lindref import classes
from lindref.conformance.oracle.judge import broken, judge
from lindref.conformance.oracle.leading import leading
from lindref.conformance.oracle.recordings import judge_recording
from lindref.conformance.oracle.scripts import world_of
from lindref.conformance.oracle.verdict import Bounds, Judgement, Verdict
from lindref.conformance.oracle.words import lines
from lindref.conformance.oracle.world import World
from lindref.conformance.rules import Rule
from lindref.conformance.vectors.command import find
from lindref.conformance.vectors.model import Vector, VectorError, load
from lindref.profile import LIND, by_name
from lindref.trace.reader import Reader, TraceError

#: Exit statuses by verdict; of several traces the one that stands first here counts.
STATUS = {
    Verdict.BROKEN: 2,
    Verdict.FORBIDDEN: 1,
    Verdict.UNSPECIFIED: 3,
    Verdict.UNKNOWN: 3,
    Verdict.NOT_APPLICABLE: 4,
    Verdict.ALLOWED: 0,
}

Opener = Callable[[str], AbstractContextManager[Reader]]


def check(options: argparse.Namespace, opened: Opener, rules: Mapping[str, Rule]) -> int:
    """Judge the traces that were named; the exit status."""
    if options.root is not None and not os.path.isdir(options.root):
        raise TraceError(f"--root {options.root}: no such folder")
    found: list[tuple[str, Judgement]] = []
    scripts = _scripts(options.vectors)
    for name in options.files:
        found.append((name, _judged(name, options, opened, scripts.get(Path(name).stem))))
        if not options.json:
            _tell(name, found[-1][1], rules)
    if options.json:
        told = [_value(name, one, rules) for name, one in found]
        sys.stdout.write(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    verdicts = {one.verdict for _, one in found}
    return next(status for verdict, status in STATUS.items() if verdict in verdicts)


def _scripts(paths: Sequence[str]) -> dict[str, Vector]:
    """Recorded scripts by id."""
    try:
        return {vector.id: vector for path in (find(paths) if paths else ()) for vector in load(path)}
    except VectorError as error:
        raise TraceError(str(error)) from None


def _judged(name: str, options: argparse.Namespace, opened: Opener, script: Vector | None) -> Judgement:
    """The judgement of one trace; what is none is that trace's affair, and not the end of the others."""
    try:
        return _of(name, options, opened, script)
    except TraceError as error:
        return broken(error)


def _of(name: str, options: argparse.Namespace, opened: Opener, script: Vector | None) -> Judgement:
    profile = _profile(options)
    with opened(name) as reader:
        if reader.recorded and script is not None:
            return judge_recording(Path(name), script, profile or LIND)

        def world() -> World:
            return _world(options) if script is None or options.root is not None else world_of(script)

        found = judge(reader, profile, world=world(), bounds=_bounds(options))
        return classes.evolve(found, leads=leading(reader.header, found, profile, world))


def _profile(options: argparse.Namespace) -> Any:
    return by_name(options.profile) if options.profile else None


def _world(options: argparse.Namespace) -> World:
    known = options.root is not None or options.root_mode == "blank"
    return World(root=options.root, mode=options.root_mode or "cow", unknown=not known)


def _bounds(options: argparse.Namespace) -> Bounds:
    return Bounds(options.max_states, options.max_work)


def _tell(name: str, one: Judgement, rules: Mapping[str, Rule]) -> None:
    if one.verdict is Verdict.BROKEN and not one.prefix:
        place = f"{name}:{one.line}" if one.line else name
        sys.stdout.flush()
        sys.stderr.write(f"lindref trace check: {one.what if name in one.what else f'{place}: {one.what}'}\n")
        return
    sys.stdout.writelines(line + "\n" for line in lines(one, name, rules))


def _value(name: str, one: Judgement, rules: Mapping[str, Rule]) -> dict[str, Any]:
    rule = rules.get(one.rule)
    return {"file": name, **one.value(), "statement": rule.text if rule is not None else ""}
