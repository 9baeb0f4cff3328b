"""Shrinking a script that shows a difference to the few calls that matter, with Hypothesis (extra ``properties``)."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lindref import classes
from lindref.conformance.vectors.model import Vector

#: Scripts that are tried for one that is smaller.
MOST = 400

Draw = Callable[[int], int]


def shrunk(vector: Vector, shows: Callable[[Vector], bool], most: int = MOST) -> Vector:
    """The smallest script found that still ``shows`` the difference; ``vector`` itself if none smaller does.

    Every step is kept or left out, every plain number of a call's is kept or is 0, every file is there or not:
    Hypothesis looks for such choices, and then for fewer.
    """
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import NoSuchExample, Unsatisfiable

    @st.composite
    def smaller(draw: Any) -> Vector:
        return _reduced(vector, lambda most: int(draw(st.integers(0, most))))

    quiet = settings(
        max_examples=most,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    try:
        found: Vector = find(smaller(), shows, settings=quiet, random=random.Random(0))
    except (NoSuchExample, Unsatisfiable):
        return vector
    return found if size(found) < size(vector) else vector


def size(vector: Vector) -> int:
    """How many steps a script has, those within others included."""
    return sum(
        _count(steps)
        for program in vector.programs.values()
        for steps in (program["steps"], *program.get("handlers", {}).values(), *program.get("sighandlers", {}).values())
    )


def _count(steps: Sequence[Mapping[str, Any]]) -> int:
    return sum(
        1 + sum(_count(step[key]) for key in ("child", "steps", "then", "else") if isinstance(step.get(key), list))
        for step in steps
    )


def _reduced(vector: Vector, choose: Draw) -> Vector:
    """A smaller script: 0 leaves something out."""
    programs = {name: _program(program, choose) for name, program in vector.programs.items()}
    files = [entry for entry in vector.files if choose(3)]
    return classes.evolve(vector, programs=programs, files=files)


def _program(program: Mapping[str, Any], choose: Draw) -> dict[str, Any]:
    out: dict[str, Any] = {"steps": _steps(program["steps"], choose)}
    for kind in ("handlers", "sighandlers"):
        if kind in program:
            out[kind] = {slot: _steps(steps, choose) for slot, steps in program[kind].items()}
    return out


def _steps(steps: Sequence[Mapping[str, Any]], choose: Draw) -> list[dict[str, Any]]:
    # Most are kept at first, so that what differs is still there to begin with.
    return [_step(step, choose) for step in steps if choose(7)]


def _step(step: Mapping[str, Any], choose: Draw) -> dict[str, Any]:
    out = dict(step)
    for key in ("child", "steps", "then", "else"):
        if isinstance(step.get(key), list):
            out[key] = _steps(step[key], choose)
    if step["op"] == "call":
        out["args"] = [arg if not _plain(arg) or choose(3) else 0 for arg in step["args"]]
        if "dump" in step and not choose(3):
            del out["dump"]
    return out


def _plain(arg: Any) -> bool:
    return isinstance(arg, int) and arg != 0
