"""A script as text for people: a call a line, what is within others indented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lindref.conformance.vectors.model import Vector


def text(vector: Vector) -> str:
    """The whole script."""
    lines = [f"# {vector.id}"]
    for name, program in vector.programs.items():
        lines.append(f"program {name}:")
        lines += _steps(program["steps"], 1)
        for kind, what in (("handlers", "handler"), ("sighandlers", "signal handler")):
            for slot, steps in program.get(kind, {}).items():
                lines.append(f"  {what} {slot}:")
                lines += _steps(steps, 2)
    return "\n".join(lines) + "\n"


def _steps(steps: Sequence[Mapping[str, Any]], depth: int) -> Iterator[str]:
    pad = "  " * depth
    for step in steps:
        yield f"{pad}{step['id']}: {_step(step)}"
        for key in ("child", "steps", "then", "else"):
            if isinstance(step.get(key), list):
                if key in ("then", "else"):
                    yield f"{pad}  {key}:"
                yield from _steps(step[key], depth + 1)


def _step(step: Mapping[str, Any]) -> str:
    match step["op"]:
        case "call":
            return f"{step.get('name', step['n'])}({', '.join(map(value, step['args']))})"
        case "call3i":
            pairs = ", ".join(f"{value(v)}@{value(cage)}" for v, cage in step["pairs"])
            name = step.get("name", step["n"])
            return f"{name}[self {value(step['self'])}, target {value(step['target'])}]({pairs})"
        case "fork":
            number, code = step.get("exit") or (231, 0)
            return f"fork, its child then {'exit' if number == 60 else 'exit_group'}({value(code)}):"
        case "thread":
            return f"thread {step['slot']}:"
        case op:
            rest = {k: v for k, v in step.items() if k not in ("id", "op", "child", "steps", "then", "else", "dump")}
            return " ".join([op, *(f"{key} {value(what)}" for key, what in rest.items())])


def value(given: Any) -> str:
    """A value (FORMAT.md section 4) in short."""
    if isinstance(given, dict):
        ((kind, what),) = given.items()
        if kind in ("str", "straddr", "hexstr"):
            shown = repr(what) if len(what) < 60 else f"{what[:20]!r}… ({len(what)})"
            return shown if kind == "str" else f"{kind} {shown}"
        if kind in ("res", "at"):
            return f"{what[0]}{what[1]:+}" if len(what) > 1 and what[1] else str(what[0])
        if kind in ("buf", "bufaddr"):
            return f"{'&' if kind == 'bufaddr' else ''}buf{what[0]}" + (
                f"+{what[1]}" if len(what) > 1 and what[1] else ""
            )
        if isinstance(what, list):
            return f"{kind}[buf{what[0]}+{what[1] if len(what) > 1 else 0}]"
        return f"{kind} {value(what)}"
    return hex(given) if isinstance(given, int) and given > 9999 else str(given)
