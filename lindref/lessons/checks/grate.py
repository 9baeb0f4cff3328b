"""Lesson *grate*: a file that is not there for the cage. The cage must not be able to tell."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from lindref.lessons.checks.students import Line, grate, play, shown
from lindref.lessons.exercises import Verdict, failed, passed
from lindref.posix.errno import name_of
from lindref.testing import Script

_AT_FDCWD = -100
#: Ways of writing down a path, the plainest first.
_PATHS = ("/secret", "/open", "/none", "//secret", "/./secret", "/tmp/../secret", "secret")
#: One call on a path; a buffer is called ``None``.
_CALLS: tuple[tuple[str, tuple[object, ...], tuple[object, ...]], ...] = (
    ("open", (), (0, 0)),
    ("open", (), (2, 0)),
    ("access", (), (0,)),
    ("stat", (), (None,)),
    ("lstat", (), (None,)),
    ("truncate", (), (0,)),
    ("chmod", (), (0o600,)),
    ("openat", (_AT_FDCWD,), (0, 0)),
    ("readlink", (), (None, 64)),
    ("chdir", (), ()),
    ("rename", (), ("/tmp/elsewhere",)),
    ("link", (), ("/tmp/another",)),
    ("unlink", (), ()),
)
FILES = {"/secret": b"the secret", "/open": b"for all"}


def _cases() -> list[list[Line]]:
    """Scripts of calls, the shorter ones first."""
    single = [(name, *before, path, *after) for path in _PATHS for name, before, after in _CALLS]
    hidden = [line for line in single if "secret" in str(line)][:40]
    return [[line] for line in single] + [[a, b] for a, b in product(hidden[:13], hidden[13:20])]


def check(path: Path) -> Verdict:
    """Beneath the grate all calls have the results that they have where the file does not exist."""
    hide = grate(path, "Hide")
    without = {name: data for name, data in FILES.items() if name != "/secret"}
    cases = _cases()
    for lines in cases:

        def write_down(script: Script, lines: list[Line] = lines) -> None:
            for name, *args in lines:
                script.call(name, *(script.buffer(256) if arg is None else arg for arg in args))

        played, wrong = play(write_down, [hide], FILES, path)
        wanted, _ = play(write_down, [], without, path)
        case = [f"  {shown(line)}" for line in lines]
        if wrong:
            return failed("the grate makes a mistake", *case, f"  {wrong}")
        names = dict.fromkeys(line[0] for line in lines)
        for name in names:
            got, right = played.results(name), wanted.results(name)
            if got != right:
                has, should = _results(got), _results(right)
                told = f"  {name} gives {has}; where there is no /secret it gives {should}"
                return failed("the cage can tell that there is something", *case, told)
    return passed(f"{len(cases)} programs could not tell that there is a /secret")


def _results(found: list[int | None]) -> str:
    return ", ".join(name_of(-one) if one is not None and one < 0 else str(one) for one in found)
