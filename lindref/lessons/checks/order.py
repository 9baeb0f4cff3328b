"""Lesson *order*: three grates, and the order in which they do what is wanted."""

from __future__ import annotations

from pathlib import Path

from lindref.lessons.checks.students import play
from lindref.lessons.exercises import ExerciseError, Verdict, failed, load, named, passed
from lindref.posix.errno import EACCES
from lindref.testing import Script

FILES = {
    "/etc/motd": b"outside",
    "/etc/shadow": b"outside",
    "/sandbox/etc/motd": b"inside",
    "/sandbox/etc/shadow": b"inside",
    "/tmp/note": b"note",
}
#: What a cage opens, and whether it may.
OPENS = {
    "/etc/motd": True,
    "/etc/shadow": False,
    "/sandbox/etc/shadow": False,
    "/sandbox/etc/motd": True,
    "/tmp/note": True,
}


def check(path: Path) -> Verdict:
    """The log has the names that the cage used; no name leads to the file that is denied."""
    stack = named(load(path), "STACK", path)
    names = [getattr(one, "__name__", str(one)) for one in stack] if isinstance(stack, list) else []
    if sorted(names) != ["Deny", "Log", "Redirect"]:
        raise ExerciseError(f"{path}: STACK is to be a list of Deny, Log and Redirect, each once")
    order = f"  from the kernel to the cage: {', '.join(names)}"
    for opened, allowed in OPENS.items():
        played, wrong = play(lambda script, name=opened: _open(script, name), stack, FILES, path)  # type: ignore[misc]
        if wrong:
            return failed("a grate makes a mistake", order, f"  {wrong}")
        result = played.results("open")[0]
        case = (order, f"  the cage opens {opened!r}, and gets {result}")
        if result is None or (result < 0 if allowed else result != -EACCES):
            return failed(
                "a file that is free cannot be opened" if allowed else "a way to the denied file is open", *case
            )
        log = next(one.state.get("names", ()) for one in played.grates.values() if type(one).__name__ == "Log")
        if tuple(log) != (opened,):
            return failed("the log does not have the name that the cage used", *case, f"  the log has {list(log)}")
    return passed(f"all {len(OPENS)} files were logged by their own names, and denied only where they should be")


def _open(script: Script, name: str) -> None:
    script.call("open", name, 0, 0)
