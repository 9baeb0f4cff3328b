"""Whether a test that cites a rule notices when the rule's code is gone.

    python tools/without_rule.py --sample 15 --seed 1        # a random sample of rules
    python tools/without_rule.py FD-2 PIPE-4                 # these

In a temporary copy of the tree the code that cites the rule is taken out: an error that carries its id is never
reported, and a function whose description names it does nothing. Then the tests that cite the rule run on the copy (a
whole file where the rule is cited outside of its tests); one has to fail.

Prints a line a rule; exit status 1 where a rule's loss goes unnoticed, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lindref.conformance.rules import Citation, citations, family, rules

ROOT = Path(__file__).resolve().parent.parent
#: Where the code of rules of the machine model stands.
CODE = ("posix", "threei", "system")
#: Seconds that the tests of a rule may take.
LIMIT = 200


class _Errors(ast.NodeTransformer):
    """Makes errors that carry a rule's id not happen: the condition of ``errors.add(…, "ID")`` never holds."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self.changed = 0

    def visit_Call(self, node: ast.Call) -> ast.AST:  # the name is ast's
        """Change a call that names the rule."""
        self.generic_visit(node)
        if any(isinstance(a, ast.Constant) and a.value == self.rule for a in node.args):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "add" and node.args:
                node.args[0] = ast.BinOp(node.args[0], ast.BitAnd(), ast.Constant(False))
                self.changed += 1
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        """A branch that does nothing but fail with the rule is never taken."""
        self.generic_visit(node)
        text = ast.unparse(ast.Module(node.body, []))
        fails = re.search(r"\b(fail|Refused|complete)\(", text) and f"'{self.rule}'" in text
        if fails and len(node.body) <= 2 and isinstance(node.body[-1], ast.Return | ast.Raise):
            node.test = ast.BoolOp(ast.And(), [ast.Constant(False), node.test])
            self.changed += 1
        return node


class _Effects(ast.NodeTransformer):
    """Takes out of a function that a rule describes the statements that change something."""

    def __init__(self, rule: str) -> None:
        self.word = re.compile(rf"(?<![\w-]){re.escape(rule)}(?![\w-])")
        self.changed = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Empty a function whose description names the rule."""
        self.generic_visit(node)
        if self.word.search(ast.get_docstring(node) or "") and not self.changed:
            before = ast.dump(node)
            node.body = self._idle(node.body)
            if ast.dump(node) != before:
                self.changed += 1
            elif isinstance(node.body[-1], ast.Return) and node.body[-1].value is not None:
                node.body = [*node.body[:-1], ast.Return(_other(node.body[-1].value))]
                self.changed += 1
        return node

    def _idle(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The statements without those that act, those within others included."""
        kept = [statement for statement in body if not self._acts(statement)]
        for statement in kept:
            for part in ("body", "orelse", "finalbody"):
                inner = getattr(statement, part, None)
                if inner:
                    setattr(statement, part, self._idle(inner))
        return kept or [ast.Pass()]

    @staticmethod
    def _acts(node: ast.stmt) -> bool:
        """Whether a statement is a call for its effect, or assigns to something's field."""
        if isinstance(node, ast.Expr):
            return isinstance(node.value, ast.Call)
        if not isinstance(node, ast.Assign):
            return False
        target = node.targets[0]
        return any(isinstance(one, ast.Attribute) for one in getattr(target, "elts", [target]))


def _other(value: ast.expr) -> ast.expr:
    """Another value than ``value``, of much the same kind."""
    if isinstance(value, ast.Call) and value.args and ast.unparse(value.func) == "Done":
        plus = ast.BinOp(value.args[0], ast.Add(), ast.Constant(1))
        return ast.Call(value.func, [plus, *value.args[1:]], value.keywords)
    if isinstance(value, ast.Compare | ast.BoolOp) or (
        isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
    ):
        return ast.UnaryOp(ast.Not(), value)
    return ast.IfExp(ast.Constant(False), value, ast.Constant(None))


def without(source: str, rule: str) -> str | None:
    """The source without what it does for ``rule``; ``None`` where nothing of it could be told to be the rule's."""
    for make in (_Errors, _Effects):
        taker = make(rule)
        tree = taker.visit(ast.parse(source))
        if taker.changed:
            return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    return None


def _files(cited: list[Citation]) -> list[str]:
    """The files of citations, those with most first."""
    names = [one.file for one in cited]
    return sorted(set(names), key=lambda name: (-names.count(name), name))


def _code_of(rule: str, cited: list[Citation]) -> Iterator[tuple[str, str]]:
    """Files whose code can be taken out for ``rule``, and what they are without it."""
    for name in _files(cited):
        if name.split("/")[1] in CODE:
            changed = without((ROOT / name).read_text(encoding="utf-8"), rule)
            if changed is not None:
                yield name, changed


def _citing(cited: list[Citation]) -> Iterator[str]:
    """What pytest is to run: the tests that cite a rule, those of the files with most citations first."""
    for name in _files(cited):
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
        spans = {
            test.name: range(min([test.lineno, *(d.lineno for d in test.decorator_list)]), (test.end_lineno or 0) + 1)
            for test in tests
        }
        found = []
        for line in (one.line for one in cited if one.file == name):
            found.append(next((test for test, span in spans.items() if line in span), ""))
        yield from (f"{name}::{test}" for test in dict.fromkeys(found)) if all(found) else (name,)


def tried(rule: str, code: list[Citation], tests: list[Citation]) -> tuple[bool | None, str]:
    """Whether a test that cites ``rule`` fails without its code (``None``: nothing to take out), and in words."""
    changes = list(_code_of(rule, code))
    if not changes or not tests:
        return None, "its code cannot be told from the rest"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(
            ROOT, copy, ignore=shutil.ignore_patterns(".git", "*.pyc", ".hypothesis", ".mypy_cache", "build")
        )
        for name, text in changes:
            (copy / name).write_text(text, encoding="utf-8")
        chosen = list(_citing(tests))
        words = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not campaign", *chosen]
        try:
            done = subprocess.run(
                [sys.executable, *words],
                cwd=copy,
                env={**os.environ, "PYTHONPATH": str(copy)},
                capture_output=True,
                text=True,
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return True, "the tests do not end"
    where = ", ".join(name.removeprefix("lindref/") for name, _ in changes)
    last = next((line for line in reversed(done.stdout.splitlines()) if line.startswith(("FAILED", "ERROR"))), "")
    noticed = {0: False, 1: True}.get(done.returncode)  # what cannot even be loaded says nothing
    return noticed, f"{where}: {last[:120] or 'no test fails'}"


def main() -> int:
    """Prints what came of each rule."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rules", nargs="*", metavar="RULE", help="these rules")
    parser.add_argument("--sample", type=int, default=15, metavar="N", help="or so many at random (default 15)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which (default 0)")
    options = parser.parse_args()
    known = {rule.id: rule for rule in rules(ROOT / "spec")}
    if unknown := [name for name in options.rules if name not in known]:
        parser.error(f"no rule {unknown[0]}")
    families = frozenset(map(family, known))
    code, tests = citations(ROOT, ["lindref"], families), citations(ROOT, ["tests"], families)
    names = options.rules
    if not names:
        fit = [name for name in known if tests.get(name) and any(_code_of(name, code.get(name, [])))]
        names = random.Random(options.seed).sample(sorted(fit), min(options.sample, len(fit)))
    missed = 0
    for name in names:
        noticed, words = tried(name, code.get(name, []), tests.get(name, []))
        missed += noticed is False
        verdict = {True: "noticed", False: "UNNOTICED", None: "left out"}[noticed]
        sys.stdout.write(f"{name:<14} {verdict:<10} {words}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(names) - missed} of {len(names)} noticed or left out\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
