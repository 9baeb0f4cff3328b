"""A case of the walk through the facts about 3i: a script, and what each profile makes of it, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from lindref.conformance.vectors.model import Vector
from lindref.conformance.vectors.play import VectorSystem
from lindref.profile import Profile

READ, WRITE, CLOSE, MMAP, PIPE, GETPID, CLONE, EXECVE, EXIT, WAIT, KILL = 0, 1, 3, 9, 22, 39, 56, 59, 60, 61, 62
GETUID, GETEUID, GETPPID, EXIT_GROUP = 102, 107, 110, 231
REGISTER, COPY_DATA, COPY_TABLE = 1001, 1002, 1003
SIGACTION, SIGMASK = 13, 14

Step = dict[str, Any]


def call(number: int, *args: Any, **more: Any) -> Step:
    """A call with self, target and owners the cage itself."""
    return {"op": "call", "n": number, "args": list(args), **more}


def to(number: int, *pairs: Any, self: Any = "self", target: Any = "self", **more: Any) -> Step:
    """A call that names self, target and the owner of each argument."""
    return {"op": "call3i", "n": number, "self": self, "target": target, "pairs": [list(p) for p in pairs], **more}


def register(cage: Any, number: int, grate: Any, slot: Any, by: Any = None) -> Step:
    """register_handler as the C library sends it: self and target are the grate, unless ``by`` says who."""
    made = grate if by is None else by
    return to(REGISTER, (cage, number), ("unused", grate), (slot, "unused"), self=made, target=made)


def copy_table(source: Any, target: Any, by: Any = "self") -> Step:
    """copy_handler_table_to_cage; made by the source in the C library."""
    return to(COPY_TABLE, (source, target), self=by, target=by)


def copy_data(source: Any, owner: Any, dest: Any, owns: Any, length: int, kind: int = 0) -> Step:
    """copy_data_between_cages."""
    return to(COPY_DATA, (source, owner), (dest, owns), (length, "unused"), (kind, "unused"))


def fork(*child: Step, code: int = 0, by: int = EXIT_GROUP) -> Step:
    """A fork; the child does ``child`` and ends."""
    return {"op": "fork", "child": list(child), "exit": [by, code]}


def does(op: str, **fields: Any) -> Step:
    """Any other step (FORMAT.md 5)."""
    return {"op": op, **fields}


def returns(value: Any) -> Step:
    """The result of a handler."""
    return does("return", value=value)


def forward(number: int, target: Any = None, pairs: int = 6) -> Step:
    """The call that a handler serves, passed on: self is the grate, the rest as it came."""
    handed = [({"harg": k}, {"hcage": k}) for k in range(1, pairs + 1)]
    return to(number, *handed, target=target if target is not None else {"hcage": 1})


def sleep(ms: int) -> Step:
    """Everybody else goes on meanwhile."""
    return does("sleep", ms=ms)


WAITS = call(WAIT, -1, 0, 0)
EXEC = call(EXECVE, {"str": "/prog/app"}, {"buf": [13, 0]}, {"buf": [13, 16]})


def execs(program: str) -> Step:
    """exec of another program of the case."""
    return call(EXECVE, {"str": f"/prog/{program}"}, {"buf": [13, 0]}, {"buf": [13, 16]})


def under(number: int, handler: list[Step], *steps: Step, then: tuple[Step, ...] = (), code: int = 0) -> dict[str, Any]:
    """Cage 1 serves call ``number`` of its forked child, cage 2, which does ``steps``; then cage 1 waits for it."""
    child = fork(register(2, number, 1, 1), *steps, code=code)
    return {"main": {"steps": [child, WAITS, *then], "handlers": {"1": handler}}}


@attrs.frozen
class Case:
    """A statement: where it stands, the rules that say it, what is played, and what comes of it in both profiles.

    ``programs`` are those of a vector (the steps of ``main``, if that is all). An expected answer is how the run ends,
    and for each cage the results of its steps in order; ``1h`` are those of cage 1's handlers. ``lind`` is None where
    the profiles agree; else ``deviations`` names what makes the difference.
    """

    section: str
    rules: str
    statement: str
    programs: Any
    spec: str
    lind: str | None = None
    deviations: str = ""
    tags: tuple[str, ...] = ()

    def vector(self) -> Vector:
        """The case as a vector."""
        programs = self.programs if isinstance(self.programs, dict) else {"main": {"steps": list(self.programs)}}
        return Vector("walk", self.statement, (), {n: _numbered(n, p) for n, p in programs.items()}, self.tags, {})

    def play(self, profile: Profile) -> str:
        """What comes of it."""
        one = self.vector()
        return shown(VectorSystem(one, profile).seen(one))


def _numbered(name: str, program: dict[str, Any]) -> dict[str, Any]:
    """The program with an id for each step that has none."""
    numbers = iter(range(10**6))

    def steps(given: Any) -> list[Step]:
        return [
            {"id": f"{name}{next(numbers)}", "name": "", **step}
            | {key: steps(step[key]) for key in ("child", "steps", "then", "else") if isinstance(step.get(key), list)}
            for step in given
        ]

    lists = {kind: {slot: steps(one) for slot, one in program.get(kind, {}).items()} for kind in _LISTS}
    return {"steps": steps(program["steps"]), **lists}


_LISTS = ("handlers", "sighandlers")


def shown(seen: dict[str, Any]) -> str:
    """An observation in one line."""
    by: dict[str, list[str]] = {}
    for entry in seen["log"]:
        kind = {"handler": "h", "thread": "t", "signal": "s"}.get(entry.get("in", ""), "")
        by.setdefault(f"{entry['cage']}{kind}", []).append(_entry(entry))
    end = " ".join(str(seen[key]) for key in ("outcome", "code") if key in seen)
    return " | ".join([end, *(f"{who}: {' '.join(found)}" for who, found in by.items())])


def _entry(entry: dict[str, Any]) -> str:
    if "pairs" in entry:
        pairs = " ".join(f"{value}@{cage}" for value, cage in entry["pairs"])
        return f"(own {entry['own']}: {pairs})"
    told = "".join(f"{entry[key]}" for key in ("signals", "dump", "argv") if key in entry)
    return f"{entry.get('ret', '')}{told}".replace(" ", "")


def ids(text: str) -> Iterator[str]:
    """The ids in a field of a case."""
    yield from text.replace(",", " ").split()
