"""The parts of the book and their chapters, in the order in which they are read."""

from __future__ import annotations

from lindref import classes


@classes.frozen
class Part:
    """A part of the book: its title and the names of its chapters (files of ``spec/``, without ``.md``)."""

    title: str
    chapters: tuple[str, ...]


PARTS: tuple[Part, ...] = (
    Part("Introduction", ("introduction",)),
    Part("The machine", ("machine", "abi", "dynamic", "system")),
    Part("Cages", ("processes", "threads", "signals", "identity", "time")),
    Part("3i and grates", ("3i", "grates", "capabilities")),
    Part(
        "RawPOSIX",
        ("descriptors", "files", "paths", "pipes", "polling", "sockets", "memory", "shm"),
    ),
    Part("Observing", ("trace", "oracle", "travel", "explore")),
    Part("Judging", ("linux", "decisions")),
)
#: Chapters that a book can do without (they are added as they are written), by the part that would hold them.
LATER: dict[str, str] = {"oracle": "Judging", "debug": "Observing", "learning": "Observing"}
#: What is no chapter.
NOT_CHAPTERS = frozenset({"README"})


def ordered(present: frozenset[str]) -> list[Part]:
    """The parts with the chapters that are ``present``; ``ValueError`` names chapters that no part has."""
    placed = {name for part in PARTS for name in part.chapters} | set(LATER)
    lost = sorted(present - placed - NOT_CHAPTERS)
    if lost:
        raise ValueError(
            f"no part of the book has the chapter {', '.join(lost)} (lindref/conformance/book/chapters.py)"
        )
    parts = []
    for part in PARTS:
        more = [name for name, title in LATER.items() if title == part.title]
        parts.append(Part(part.title, tuple(name for name in (*part.chapters, *more) if name in present)))
    return [part for part in parts if part.chapters]
