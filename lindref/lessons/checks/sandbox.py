"""Lesson *sandbox*: a guard that no name gets past."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from lindref.lessons.checks.students import Line, grate, play, shown
from lindref.lessons.exercises import Verdict, failed, passed
from lindref.testing import Script

_AT_FDCWD = -100
SECRET, OPEN = b"the secret", b"for everybody"
FILES = {"/secret": SECRET, "/open": OPEN, "/folder/open": OPEN}
#: Other names for the file, each with the calls that make it one.
_WAYS: tuple[tuple[str, list[Line]], ...] = (
    ("/secret", []),
    ("//secret", []),
    ("/./secret", []),
    ("/folder/../secret", []),
    ("secret", []),
    ("../secret", [("chdir", "/folder")]),
    ("/tmp/soft", [("symlink", "/secret", "/tmp/soft")]),
    ("/tmp/hard", [("link", "/secret", "/tmp/hard")]),
    ("/tmp/moved", [("rename", "/secret", "/tmp/moved")]),
)
_OPENS = ("open", "openat")


def _attacks() -> list[tuple[str, list[Line], bool]]:
    """The file's name, the calls before and with the opening, and whether a child makes them."""
    out = []
    for child, (name, before), call in product((False, True), _WAYS, _OPENS):
        opens: Line = ("open", name, 0, 0) if call == "open" else ("openat", _AT_FDCWD, name, 0, 0)
        out.append((call, [*before, opens], child))
    return out


def _write(script: Script, lines: list[Line]) -> None:
    """The calls, the last an opening; what can be read through it goes to standard output."""
    for name, *args in lines[:-1]:
        script.call(name, *args)
    name, *args = lines[-1]
    fd = script.call(name, *args)
    place = script.buffer(64)
    script.call("write", 1, place, script.call("read", fd, place, 64))


def check(path: Path) -> Verdict:
    """No attack gets the secret's bytes; what is not secret can be read as before."""
    guard = grate(path, "Guard")
    for name in ("/open", "/folder/open"):
        played, wrong = play(lambda s, n=name: _write(s, [("open", n, 0, 0)]), [guard], FILES, path)  # type: ignore[misc]
        if wrong:
            return failed("the guard makes a mistake", f"  {wrong}")
        if played.stdout != OPEN:
            return failed("a file that is no secret cannot be read any more", f"  open({name!r}, 0, 0)")
    attacks = _attacks()
    for _, lines, by_child in attacks:

        def write_down(script: Script, lines: list[Line] = lines, by_child: bool = by_child) -> None:
            if by_child:
                child = Script()
                _write(child, lines)
                script.fork(child)
            else:
                _write(script, lines)

        played, wrong = play(write_down, [guard], FILES, path)
        case = [f"  {shown(line)}" for line in lines]
        if wrong:
            return failed("the guard makes a mistake", *case, f"  {wrong}")
        if SECRET in played.stdout:
            who = "a child of the cage" if by_child else "the cage"
            return failed(f"{who} has read the secret", *case, f"  read gives {SECRET!r}")
    return passed(f"{len(attacks)} attacks came back without the secret")
