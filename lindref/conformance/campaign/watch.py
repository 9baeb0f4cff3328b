"""Which rules the model's code consults in a run: those that the functions name that were called.

A function names the rules in its lines, those of the classes that it is of (in their descriptions) and those beside the
constants of its module that it uses.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial, wraps
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import lindref
from lindref import classes
from lindref.conformance.resources import folder
from lindref.conformance.rules import citations, family, rules
from lindref.system.loader.runner import DynamicRunner
from lindref.system.runner import RunnerEvent
from lindref.system.system import System
from lindref.system.threads import Thread
from lindref.system.wasm_runner import WasmRunner

#: Where the rules are implemented, below the folder that has the package.
_MODEL = ("lindref/posix", "lindref/threei", "lindref/system")
_GUEST_RUNS = WasmRunner.run.__code__
#: What the model does outside of turns, and while a guest runs: how a run begins, host functions that are answered at
#: once, the loader's work.
_WITHIN = (
    (System, "boot"),
    (System, "first_cage"),
    (WasmRunner, "_event"),
    (DynamicRunner, "_event"),
    (DynamicRunner, "prepare"),
)


@classes.frozen
class _Cited:
    """The rules that a file names: by line, by the name of a class, by the name of a constant."""

    lines: tuple[tuple[int, str], ...]
    types: dict[str, frozenset[str]]
    constants: dict[str, frozenset[str]]


@cache
def _cited() -> dict[str, _Cited]:
    """What the model's files name, by file."""
    root = Path(lindref.__file__).resolve().parent.parent
    known = {rule.id for rule in rules(folder("spec"))}
    found: dict[str, list[tuple[int, str]]] = {}
    for rule, places in citations(root, _MODEL, frozenset(map(family, known))).items():
        for place in places if rule in known else ():
            found.setdefault(str(root / place.file), []).append((place.line, rule))
    return {name: _sorted_out(Path(name), lines) for name, lines in found.items()}


def _sorted_out(path: Path, lines: list[tuple[int, str]]) -> _Cited:
    """The citations of a file by what they stand at."""
    source = path.read_text(encoding="utf-8")
    text = source.splitlines()

    def within(first: int, last: int) -> frozenset[str]:
        return frozenset(rule for line, rule in lines if first <= line <= last)

    types: dict[str, frozenset[str]] = {}
    constants: dict[str, frozenset[str]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and ast.get_docstring(node):
            types[node.name] = within(node.lineno, node.body[0].end_lineno or node.lineno)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            first = node.lineno
            while text[first - 2].startswith("#"):  # what is said of it stands above it
                first -= 1
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    constants[target.id] = within(first, node.end_lineno or node.lineno)
    return _Cited(tuple(lines), types, constants)


@cache
def rules_of(code: CodeType) -> frozenset[str]:
    """The rules that a function names, those of functions within it included."""
    cited = _cited().get(code.co_filename)
    if cited is None:
        return frozenset()
    last = max((line for _, _, line in code.co_lines() if line is not None), default=code.co_firstlineno)
    own = frozenset(rule for line, rule in cited.lines if code.co_firstlineno <= line <= last)
    kind = cited.types.get(code.co_qualname.partition(".")[0], frozenset())
    return own.union(kind, *(cited.constants[name] for name in code.co_names if name in cited.constants))


class Watch:
    """Watches a run of the model. While a guest's own instructions run it looks away: they are most of a run."""

    def __init__(self) -> None:
        self._seen: set[CodeType] = set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """For as long as a run lasts: see what it does outside of turns and between a guest's instructions."""
        before = [(kind, name, vars(kind)[name]) for kind, name in _WITHIN]
        try:
            for kind, name, does in before:
                setattr(kind, name, self._seen_doing(does))
            yield
        finally:
            for kind, name, does in before:
                setattr(kind, name, does)

    def _seen_doing(self, does: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(does)
        def watched(*given: Any) -> Any:
            before = sys.gettrace()
            sys.settrace(self._trace)
            try:
                return does(*given)
            finally:
                sys.settrace(before)

        return watched

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
