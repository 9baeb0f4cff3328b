"""Lesson *call*: a program that copies a file, written down as the calls it makes."""

from __future__ import annotations

from pathlib import Path

from lindref.lessons.exercises import Verdict, failed, load, named, oops, passed
from lindref.testing import Played, Script

#: What the file to copy holds, and what lies where the copy goes (``None``: nothing).
CASES = [
    (data, before)
    for data in (b"x" * 100, b"", b"a", b"hello\n", bytes(range(100)))
    for before in (None, b"", b"an older and much longer copy, which is to go")
]
_RDONLY = 0


def check(path: Path) -> Verdict:
    """The copy is the same for every content; no descriptor is left open."""
    write_down = named(load(path), "program", path)
    for data, before in CASES:
        script = Script()
        try:
            write_down(script)
        except Exception as error:  # noqa: BLE001 (whatever a student's function does)
            return failed(f"program(script) raises an exception: {oops(error, path)}")
        script.call("dup", 0)
        place = script.buffer(200)
        script.call("write", 1, place, script.call("read", script.call("open", "/out", _RDONLY), place, 200))
        files = {"/in": data} if before is None else {"/in": data, "/out": before}
        played = script.play(files=files)
        case = (f"  /in holds {data!r}", f"  /out before: {'not there' if before is None else repr(before)}")
        if played.stdout != data:
            return failed("the copy is not the same", *case, f"  /out after: {played.stdout!r}", *_calls(played))
        lowest = played.results("dup")[-1]
        if lowest != 3:
            return failed(
                "a descriptor is left open", *case, f"  the lowest free one is {lowest}, not 3", *_calls(played)
            )
    return passed(f"{len(CASES)} files were copied exactly, and everything was closed")


def _calls(played: Played) -> list[str]:
    """The student's own calls with their results; the last four are the check's."""
    left = {name: played.results(name) for name in {call.name for call in played.calls()}}
    lines = [f"    {call.name} = {left[call.name].pop(0)}" for call in played.calls() if left[call.name]]
    return ["  the calls:", *lines[:-5]]
