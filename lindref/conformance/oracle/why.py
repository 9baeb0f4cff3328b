"""Which rule speaks of a difference: those that the code of a call cites (JUDGE-6)."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

from lindref import classes
from lindref.posix import errno
from lindref.posix.params import CallRow, ReturnKind

_ID = re.compile(r"(?<![\w-])([A-Z0-9]+(?:-[A-Z0-9]+)*-\d+)(?![\w-])")
#: Rules of calls that RawPOSIX does not have.
_THREEI = {1001: "3I-REG-1", 1002: "3I-DATA-1", 1003: "3I-COPY-1"}


@classes.frozen
class Cited:
    """What the code of a call says: the rules of its description, and those of each error."""

    rules: tuple[str, ...] = ()
    errors: Mapping[int, tuple[str, ...]] = classes.field(factory=dict)


@functools.cache
def _tree(module: ModuleType) -> Mapping[str, ast.FunctionDef]:
    """The functions of a module by name."""
    try:
        parsed = ast.parse(textwrap.dedent(inspect.getsource(module)))
    except OSError:
        return {}
    return {node.name: node for node in ast.walk(parsed) if isinstance(node, ast.FunctionDef)}


def _errors(node: ast.AST) -> list[tuple[int, str]]:
    """Errors with the rule beside them: ``errors.add(…, ENOENT, "RULE")``, ``fail(ENOENT, "RULE")``."""
    found = []
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            numbers = [getattr(errno, a.id, None) for a in call.args if isinstance(a, ast.Name)]
            names = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            rules = [name for name in names if _ID.fullmatch(name)]
            found += [(n, rule) for n in numbers if isinstance(n, int) for rule in rules]
    return found


def _called(node: ast.AST, module: ModuleType) -> list[Callable[..., Any]]:
    """The functions of lindref that ``node`` calls by name."""
    found: list[Callable[..., Any]] = []
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        target: Any = None
        if isinstance(call.func, ast.Name):
            target = getattr(module, call.func.id, None)
        elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            target = getattr(getattr(module, call.func.value.id, None), call.func.attr, None)
        if inspect.isfunction(target) and target.__module__.startswith("lindref.posix"):
            found.append(target)
    return found


@functools.cache
def cited(handler: Callable[..., Any]) -> Cited:
    """What the code of a call cites, and what the functions it calls do, nearest first."""
    rules: dict[str, None] = {}
    errors: dict[int, dict[str, None]] = {}
    todo: list[Callable[..., Any]] = [handler]
    seen: set[Callable[..., Any]] = set()
    while todo and len(seen) < 40:
        function = todo.pop(0)
        if function in seen:
            continue
        seen.add(function)
        module = inspect.getmodule(function)
        node = _tree(module).get(function.__name__) if module is not None else None
        if node is None or module is None:
            continue
        for rule in _ID.findall(ast.get_docstring(node) or ""):
            rules.setdefault(rule)
        for number, rule in _errors(node):
            errors.setdefault(number, {}).setdefault(rule)
        todo += _called(node, module)
    return Cited(tuple(rules), {number: tuple(names) for number, names in errors.items()})


@functools.cache
def parts(handler: Callable[..., Any]) -> frozenset[str]:
    """The functions beside ``handler`` that it leaves its answer to, where an argument says what it does."""
    module = inspect.getmodule(handler)
    node = _tree(module).get(handler.__name__) if module is not None else None
    if node is None:
        return frozenset()
    returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
    calls = [one.func for one in returned if isinstance(one, ast.Call)]
    return frozenset(one.id for one in calls if isinstance(one, ast.Name) and one.id in _tree(module))


@contextmanager
def noting(handler: Callable[..., Any], rules: list[str]) -> Iterator[None]:
    """Which rules cite those of its parts that run meanwhile, seen by the interpreter's profile hook, if it is free."""
    code, names = handler.__code__, parts(handler)

    def called(frame: FrameType, event: str, _: object) -> None:
        ran = frame.f_code
        if event == "call" and ran.co_name in names and ran.co_filename == code.co_filename and ran.co_consts:
            text = ran.co_consts[0]
            rules.extend(_ID.findall(text) if isinstance(text, str) else ())

    if not names or sys.getprofile() is not None:
        yield
        return
    sys.setprofile(called)
    try:
        yield
    finally:
        sys.setprofile(None)


@classes.frozen
class Why:
    """The rules of the calls of a table."""

    rows: Mapping[int, CallRow]

    def _of(self, number: int) -> Cited:
        row = self.rows.get(number)
        return cited(row.handler) if row is not None and row.handler is not None else Cited()

    def general(self, number: int) -> str:
        """The rule that says what a call does."""
        found = self._of(number).rules
        return found[0] if found else _THREEI.get(number, "CALL-1")

    def waits(self, number: int) -> str:
        """The rule of a call that waits."""
        return self.general(number)

    def error(self, number: int, code: int) -> str:
        """The rule that says when a call fails with ``code`` (positive)."""
        found = self._of(number).errors.get(code)
        return found[0] if found else self.general(number)

    def written(self, number: int, ran: Sequence[str]) -> str:
        """The rule of what a call writes."""
        return ran[0] if ran else self.general(number)

    def value(self, number: int, ran: Sequence[str] = ()) -> str:
        """The rule of a call's result; ``ran`` are the rules of what it did."""
        row = self.rows.get(number)
        if row is not None and row.returns is ReturnKind.FD:
            return "FD-2"
        if row is not None and row.returns is ReturnKind.ADDRESS and number == 9:
            return "MEM-2"
        return ran[0] if ran else self.general(number)

    def differs(
        self, number: int, seen: int | None, model: int | None, held: Sequence[str], ran: Sequence[str] = ()
    ) -> str:
        """The rule that a result breaks: ``held`` are those of the model's errors, ``ran`` of what it did."""
        if held:
            return held[0]
        if seen is not None and seen < 0 and (model is None or model >= 0):
            return self.error(number, -seen)
        return self.value(number, ran)
