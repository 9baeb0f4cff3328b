"""Which errors a call can give, by which rule: read off the source of its handler and of all that it calls.

An over-approximation: a helper that serves several calls lends its errors to each of them, a class all its methods, and
what depends on the kind of a description counts for every kind.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import lindref.posix
from lindref.classes import fields
from lindref.posix.errno import NUMBERS, name_of
from lindref.posix.openfile import Ops
from lindref.posix.params import CallRow

#: An error and the rule that says when.
Named = tuple[str, str]
_RULE = re.compile(r"[A-Z0-9]+(-[A-Z0-9]+)*-\d+")


class _Module:
    """One module of RawPOSIX: its functions (methods as ``Class.name``), what its imported names mean, and which
    functions it enters for an operation of `Ops`.
    """

    def __init__(self, path: Path) -> None:
        self.functions: dict[str, ast.AST] = {}
        self.names: dict[str, tuple[str, str]] = {}
        self.operations: list[tuple[str, str]] = []
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        for top in tree.body:
            if isinstance(top, ast.FunctionDef):
                self.functions[top.name] = top
            elif isinstance(top, ast.ClassDef):
                methods = [one for one in top.body if isinstance(one, ast.FunctionDef)]
                self.functions |= {f"{top.name}.{one.name}": one for one in methods}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lindref.posix"):
                self.names |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Ops":
                order = [field.name for field in fields(Ops)]
                given = [*zip(order, node.args, strict=False), *((one.arg or "", one.value) for one in node.keywords)]
                for operation, value in given:
                    if isinstance(value, ast.Name | ast.Attribute):
                        self.operations.append((operation, value.id if isinstance(value, ast.Name) else value.attr))

    def methods(self, name: str, of: str = "") -> list[str]:
        """The methods called ``name``, or all of class ``of``."""
        return [one for one in self.functions if one.startswith(f"{of}.") or (not of and one.endswith(f".{name}"))]


@cache
def _modules() -> dict[str, _Module]:
    root = Path(lindref.posix.__file__).parent
    found = {}
    for path in sorted(root.rglob("*.py")):
        if path.name == "kernel.py":
            continue  # it calls handlers, and no handler's error is its own
        dotted = ".".join(("lindref.posix", *path.relative_to(root).with_suffix("").parts))
        found[dotted.removesuffix(".__init__")] = _Module(path)
    return found


@cache
def _operations() -> dict[str, list[tuple[str, str]]]:
    """The functions that descriptions of some kind have for an operation."""
    found: dict[str, list[tuple[str, str]]] = {}
    everywhere = [(module, name) for module, one in _modules().items() for name in one.functions]
    for one in _modules().values():
        for operation, function in one.operations:
            found.setdefault(operation, []).extend(place for place in everywhere if place[1] == function)
    return found


def _rules(nodes: list[ast.expr] | ast.AST) -> set[str]:
    """The rules that are named in some code."""
    trees = nodes if isinstance(nodes, list) else [nodes]
    values = [one.value for tree in trees for one in ast.walk(tree) if isinstance(one, ast.Constant)]
    return {value for value in values if isinstance(value, str) and _RULE.fullmatch(value)}


def _own(node: ast.AST) -> Iterator[Named]:
    """The errors that a function names itself: an errno and a rule side by side in one call; where the rule stands in a
    variable, any that the function assigns.
    """
    assigned = [one.value for one in ast.walk(node) if isinstance(one, ast.Assign)]
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and len(call.args) >= 2 and not isinstance(call.args[-1], ast.Call):
            given = _rules(call.args)
            variable = isinstance(call.args[-1], ast.Name) and call.args[-1].id == "rule"
            named = given or (_rules(assigned) if variable else set())
            for errno in (one.id for arg in call.args for one in ast.walk(arg) if isinstance(one, ast.Name)):
                if errno in NUMBERS:
                    yield from ((name_of(NUMBERS[errno]), rule) for rule in named)


def _handed(module: str, node: ast.AST) -> Iterator[Named]:
    """The errors that a function gets by handing a rule to another, which has an errno for it."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            for place in _called(module, call.func):
                function = _modules()[place[0]].functions.get(place[1])
                if isinstance(function, ast.FunctionDef) and any(one.arg == "rule" for one in function.args.args):
                    rules = _rules(call.args) or _rules(list(function.args.defaults))
                    for errno in _with_variable(function):
                        yield from ((name_of(NUMBERS[errno]), rule) for rule in rules)


def _with_variable(function: ast.AST) -> set[str]:
    """The errnos that stand beside the variable ``rule``."""
    found: set[str] = set()
    for call in ast.walk(function):
        last = call.args[-1] if isinstance(call, ast.Call) and call.args else None
        if isinstance(call, ast.Call) and isinstance(last, ast.Name) and last.id == "rule":
            names = [one.id for arg in call.args for one in ast.walk(arg) if isinstance(one, ast.Name)]
            found |= {name for name in names if name in NUMBERS}
    return found


def _meant(module: str, name: str) -> Iterator[tuple[str, str]]:
    """What a name in a module stands for: a function, or all methods of a class."""
    here = _modules().get(module)
    if here is None:
        return
    if name in here.functions:
        yield module, name
    elif name in here.names:
        yield from _meant(*here.names[name])
    else:
        yield from ((module, method) for method in here.methods("", of=name))


def _called(module: str, node: ast.AST) -> Iterator[tuple[str, str]]:
    """The functions that a function mentions, as module and name."""
    here = _modules()[module]
    inside = list(ast.walk(node))
    own = {one.arg for one in inside if isinstance(one, ast.arg)}
    own |= {one.id for one in inside if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    for one in inside:
        if isinstance(one, ast.Name):
            if one.id not in own:
                yield from _meant(module, one.id)
        elif isinstance(one, ast.Attribute):
            owner = one.value.func if isinstance(one.value, ast.Call) else one.value
            name = owner.id if isinstance(owner, ast.Name) else ""
            if name == "self":
                yield from ((module, method) for method in here.methods(one.attr))
            elif name in {"ops", "ops_of"}:
                yield from _operations().get(one.attr, ())
            elif name in here.names:
                yield from _meant(".".join(here.names[name]), one.attr)


def of_call(row: CallRow) -> list[Named]:
    """The errors of a call, by name and rule, sorted."""
    if row.handler is None:
        return [("ENOSYS", "CALL-1")]
    handler = inspect.unwrap(row.handler)
    waiting = [(handler.__module__, getattr(handler, "__name__", ""))]
    seen: set[tuple[str, str]] = set()
    errors: set[Named] = set()
    while waiting:
        place = waiting.pop()
        module = _modules().get(place[0])
        if place in seen or module is None or place[1] not in module.functions:
            continue
        seen.add(place)
        node = module.functions[place[1]]
        errors |= set(_own(node)) | set(_handed(place[0], node))
        waiting += _called(place[0], node)
    return sorted(errors)
