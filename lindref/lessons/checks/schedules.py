"""What the checks of C programs share: all schedules of one, within bounds."""

from __future__ import annotations

import shlex
from pathlib import Path

from lindref.explore.exhaustive import Bounds, deepen
from lindref.explore.outcomes import Found, Result, schedule
from lindref.lessons.exercises import ExerciseError
from lindref.posix import console
from lindref.system.boot import BootError, boot
from lindref.system.events import Event
from lindref.system.runtime import Config
from lindref.system.system import System

#: Most ticks of one run: an endless loop is an outcome, too.
TICKS = 2_000_000


def booted(program: Path, args: tuple[str, ...] = (), stdin: bytes = b"", *, accesses: str = "none") -> System:
    """A student's program about to run, alone in an empty root."""
    try:
        config = Config(max_ticks=TICKS, accesses=accesses)
        system = boot(program, args, root_mode="blank", config=config, engine="reference")
    except BootError as error:
        raise ExerciseError(str(error)) from None
    if stdin:
        console.feed_stdin(system.kernel, stdin)
    console.end_stdin(system.kernel)
    return system


class Kept:
    """The events of a run (``Observer``)."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def on_event(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)


def outcomes(system: System, *, preemptions: int | None, states: int = 30_000) -> list[tuple[Result, Found]]:
    """The distinct outcomes, those with the simplest schedules first. ``ExerciseError`` where not all were seen."""
    found, search = deepen(system, Bounds(preemptions, states))
    if not search.complete:
        raise ExerciseError(f"more than {states} states: the program does too much to be explored")
    return found.sorted()


def told(result: Result, found: Found, path: Path, accesses: str) -> tuple[str, ...]:
    """An outcome as lines: what was written, how it ended, and the commands that show it again."""
    lines = [f"  it writes: {line}" for line in result.stdout.decode("utf-8", "backslashreplace").splitlines()]
    lines += [f"  it ends: {result.ending}, exit status {result.exit_status}"]
    lines += [f"    {line}" for line in result.text.splitlines()]
    many = "1 schedule leads" if found.count == 1 else f"{found.count} schedules lead"
    program = shlex.quote(str(path.with_suffix(".wasm")))
    again = [] if path.suffix == ".wasm" else [f"    lindref cc {shlex.quote(str(path))} -o {program}"]
    how = "" if accesses == "shared" else f" --accesses {accesses}"
    again.append(f"    lindref explore{how} --root-mode blank --replay '{schedule(found.answers)}' {program}")
    return (*lines, f"  {many} there; to see it again:", *again)
