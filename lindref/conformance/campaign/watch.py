"""Which rules the model's code consults in a run: those that the functions name that were called."""

from __future__ import annotations

import sys
from functools import cache, partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import lindref
from lindref.conformance.resources import folder
from lindref.conformance.rules import citations, family, rules
from lindref.system.runner import RunnerEvent
from lindref.system.system import System
from lindref.system.threads import Thread
from lindref.system.wasm_runner import WasmRunner

#: Where the rules are implemented, below the folder that has the package.
_MODEL = ("lindref/posix", "lindref/threei", "lindref/system")
_GUEST_RUNS = WasmRunner.run.__code__


@cache
def _cited() -> dict[str, list[tuple[int, str]]]:
    """By file: lines with the rules that they name."""
    root = Path(lindref.__file__).resolve().parent.parent
    known = {rule.id for rule in rules(folder("spec"))}
    out: dict[str, list[tuple[int, str]]] = {}
    for rule, places in citations(root, _MODEL, frozenset(map(family, known))).items():
        for place in places if rule in known else ():
            out.setdefault(str(root / place.file), []).append((place.line, rule))
    return out


@cache
def rules_of(code: CodeType) -> frozenset[str]:
    """The rules that a function names in its lines, those of functions within it included."""
    last = max((line for _, _, line in code.co_lines() if line is not None), default=code.co_firstlineno)
    lines = _cited().get(code.co_filename, ())
    return frozenset(rule for line, rule in lines if code.co_firstlineno <= line <= last)


class Watch:
    """Watches a run of the model. While a guest's own instructions run it looks away: they are most of a run."""

    def __init__(self) -> None:
        self._seen: set[CodeType] = set()

    def attach(self, system: System) -> None:
        """Watch ``system``."""
        vars(system)["step"] = partial(self._step, system.step)
        happened = system._happened  # noqa: SLF001 (what comes after a guest ran)
        vars(system)["_happened"] = partial(self._happened, happened)

    def rules(self) -> set[str]:
        """The rules seen so far."""
        return {rule for code in self._seen for rule in rules_of(code)}

    def _trace(self, frame: FrameType, event: str, given: Any) -> None:
        del event, given
        code = frame.f_code
        if code is _GUEST_RUNS:
            sys.settrace(None)
        else:
            self._seen.add(code)

    def _step(self, step: Any, **how: bool) -> bool:
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            del how  # one turn at a time: a call that begins while a guest runs would not be seen
            return bool(step())
        finally:
            sys.settrace(before)

    def _happened(self, happened: Any, thread: Thread, event: RunnerEvent) -> None:
        sys.settrace(self._trace)
        happened(thread, event)
