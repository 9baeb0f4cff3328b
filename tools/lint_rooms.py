"""Small rooms: a file can be read in one sitting, and its docstrings say something.

Checked: no source file over the cap; every public module, class and function of ``lindref`` has a docstring whose first
paragraph is a sentence (ends with ``.``, ``:``, ``?`` or ``!``); nothing is left open (``TO-DO`` marks, stubs); no two
files of the tests have one name, since they import each other by it.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CAP = 600
OPEN = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|NotImplemented" r"Error)\b")


def public_definitions(tree: ast.Module) -> list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """The public classes, functions and methods of a module."""
    found: list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            found.append(node)
            if isinstance(node, ast.ClassDef):
                found += [
                    m for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef) and m.name[0] != "_"
                ]
    return found


def docstring_problem(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """What is wrong with a docstring, or nothing."""
    text = ast.get_docstring(node)
    if not text:
        return "no docstring"
    first = text.strip().split("\n\n")[0].strip()
    if first[-1] not in ".:?!":
        return "the docstring's first paragraph is no sentence"
    return None


def problems() -> list[str]:
    """One line for each breach."""
    out = []
    files = [p for top in ("lindref", "tools", "tests", "benchmarks") for p in sorted((ROOT / top).rglob("*.py"))]
    named: dict[str, Path] = {}
    for path in files:
        relative = path.relative_to(ROOT)
        if relative.parts[0] == "tests" and path.name != "conftest.py":
            first = named.setdefault(path.name, relative)
            if first != relative:
                out.append(f"{relative}: {first} has the same name")
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        if len(lines) > CAP:
            out.append(f"{relative}: {len(lines)} lines, more than {CAP}")
        out += [f"{relative}:{n}: left open" for n, line in enumerate(lines, 1) if OPEN.search(line)]
        if relative.parts[0] != "lindref":
            continue
        tree = ast.parse(text, str(path))
        if tree.body and (problem := docstring_problem(tree)):
            out.append(f"{relative}:1: module: {problem}")
        for node in public_definitions(tree):
            if any(isinstance(d, ast.Name) and d.id in ("overload", "override") for d in node.decorator_list):
                continue
            if any(isinstance(d, ast.Attribute) and d.attr == "setter" for d in node.decorator_list):
                continue
            if problem := docstring_problem(node):
                out.append(f"{relative}:{node.lineno}: {node.name}: {problem}")
    return out


if __name__ == "__main__":
    found = problems()
    print(*found, sep="\n" if found else "")
    sys.exit(1 if found else 0)
