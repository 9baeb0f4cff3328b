"""What the checks of grates share: making a student's grate, and playing scripts beneath it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lindref.lessons.exercises import ExerciseError, load, named, oops
from lindref.system.boot import BootError
from lindref.system.python.grate import Grate, GrateError
from lindref.testing import Played, Script

#: A call of a script: its name and its arguments.
Line = tuple[Any, ...]


def grate(path: Path, name: str) -> type[Grate]:
    """The student's grate."""
    found = named(load(path), name, path)
    if not (isinstance(found, type) and issubclass(found, Grate)):
        raise ExerciseError(f"{path}: {name} is no grate: class {name}(lindref.Grate)")
    return found


def play(
    write_down: Callable[[Script], object], grates: list[Any], files: Mapping[str, bytes], path: Path
) -> tuple[Played, str]:
    """A script beneath grates, and the first mistake of a handler that the run told of, or nothing."""
    script = Script()
    write_down(script)
    try:
        played = script.play(*grates, files=files)
    except (GrateError, BootError) as error:
        raise ExerciseError(f"{path}: {error}") from None
    except Exception as error:  # noqa: BLE001 (whatever a student's constructor does)
        raise ExerciseError(f"{path}: {oops(error, path)}") from None
    return played, played.notes[0] if played.notes else ""


def shown(line: Line) -> str:
    """A call of a script as one would write it."""
    return f"{line[0]}({', '.join(repr(arg) for arg in line[1:])})"
