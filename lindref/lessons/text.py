"""The text of a lesson as data: prose, sources, and cells that are run.

A text begins with lines ``key: value`` and goes on as Markdown. Of its fenced blocks ``python`` and ``console`` are
cells; one with a file name after the language shows that file of the lesson's folder instead of its own content.
"""

from __future__ import annotations

import re
from pathlib import Path

from lindref import classes

COURSE = Path(__file__).resolve().parent / "course"
_FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
#: Languages of blocks that are run.
CELLS = ("python", "console")
_KEYS = {"title", "about", "exercise", "needs"}


class LessonError(ValueError):
    """There is no such lesson, or a lesson's text is not one; one line."""


@classes.frozen
class Block:
    """A piece of a lesson. ``kind``: ``prose`` (Markdown), ``python`` or ``console`` (cells), or ``source`` with the
    ``language`` and, for a file of the lesson, its ``name``.
    """

    kind: str
    text: str
    language: str = ""
    name: str = ""


@classes.frozen
class Lesson:
    """One lesson: ``number`` from 1, ``name`` as one types it, ``about`` in one line; ``exercise`` is the file that a
    student changes, ``needs`` what a check of it takes beyond lindref (``clang``), or nothing.
    """

    number: int
    name: str
    title: str
    about: str
    exercise: str
    needs: str
    folder: Path
    blocks: tuple[Block, ...]


def _blocks(folder: Path, text: str) -> list[Block]:
    out: list[Block] = []
    at = 0

    def prose(end: int) -> None:
        if text[at:end].strip():
            out.append(Block("prose", text[at:end].strip()))

    for found in _FENCE.finditer(text):
        prose(found.start())
        at = found.end()
        language, name, inside = found[1], found[2], found[3]
        if name:
            out.append(Block("source", (folder / name).read_text(encoding="utf-8").rstrip("\n"), language, name))
        else:
            kind = language if language in CELLS else "source"
            out.append(Block(kind, inside.rstrip("\n"), language))
    prose(len(text))
    return out


def read(folder: Path) -> Lesson:
    """The lesson in ``folder``. ``LessonError`` where its text is not one."""
    path = folder / "lesson.md"
    head, _, body = path.read_text(encoding="utf-8").partition("\n\n")
    said = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    if set(said) - _KEYS or not {"title", "about", "exercise"} <= set(said):
        raise LessonError(f"{path}: begins with title, about, exercise and perhaps needs")
    number, _, name = folder.name.partition("-")
    return Lesson(
        int(number),
        name,
        said["title"],
        said["about"],
        said["exercise"],
        said.get("needs", ""),
        folder,
        tuple(_blocks(folder, body)),
    )


def lessons() -> list[Lesson]:
    """All lessons in their order."""
    return [read(path.parent) for path in sorted(COURSE.glob("*/lesson.md"))]


def find(word: str) -> Lesson:
    """The lesson with that name or number. ``LessonError`` if there is none."""
    every = lessons()
    found = next((one for one in every if word in (one.name, str(one.number))), None)
    if found is None:
        raise LessonError(f"there is no lesson {word!r} (there are {', '.join(one.name for one in every)})")
    return found
