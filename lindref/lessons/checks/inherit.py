"""Lesson *inherit*: a budget that forking does not refill."""

from __future__ import annotations

from pathlib import Path

from lindref.lessons.checks.students import grate, play
from lindref.lessons.exercises import Verdict, failed, passed
from lindref.posix.errno import EMFILE
from lindref.testing import Script

LIMIT = 3
#: A family: each number is so many opens of the cage, each list a child that it forks and waits for.
Family = list["int | Family"]
CASES: list[Family] = [
    [1],
    [3],
    [4],
    [5, 5],
    [[1]],
    [1, [1]],
    [2, [2]],
    [3, [1]],
    [[3], 1],
    [[2], [2]],
    [[1], [1], [1], [1]],
    [1, [1, [1, [1]]]],
    [[[[4]]], 1],
    [2, [1, [1]], [1], 2],
]


def check(path: Path) -> Verdict:
    """In every family, the first three opens succeed, whoever makes them, and no other."""
    budget = grate(path, "Budget")
    for family in CASES:
        played, wrong = play(lambda script, f=family: _write(script, f), [budget], {"/file": b"x"}, path)  # type: ignore[misc]
        case = [f"  the family: {_told(family)}"]
        if wrong:
            return failed("the grate makes a mistake", *case, f"  {wrong}")
        made = [(call.cage, played.results("open", cage=call.cage)) for call in played.calls("open") if not call.within]
        seen: dict[int, int] = {}
        results = []
        for cage, found in made:
            results.append((cage, found[seen.get(cage, 0)]))
            seen[cage] = seen.get(cage, 0) + 1
        for count, (cage, result) in enumerate(results, 1):
            good = result is not None and (result >= 0 if count <= LIMIT else result == -EMFILE)
            if not good:
                rule = f"open number {count} should {'succeed' if count <= LIMIT else 'fail with EMFILE'}"
                opens = [f"    open number {n} in cage {c}: {r}" for n, (c, r) in enumerate(results, 1)]
                return failed(f"{rule}; it gives {result} in cage {cage}", *case, *opens)
    return passed(f"{len(CASES)} families kept to their budget of {LIMIT}")


def _write(script: Script, family: Family) -> None:
    for member in family:
        if isinstance(member, list):
            child = Script()
            _write(child, member)
            script.fork(child)
        else:
            for _ in range(member):
                script.call("open", "/file", 0, 0)


def _told(family: Family) -> str:
    return ", ".join(f"forks one that ({_told(one)})" if isinstance(one, list) else f"{one} opens" for one in family)
