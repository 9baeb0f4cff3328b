"""The checked-in list of commands that may be skipped: nothing is skipped silently."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

from lindref import classes
from lindref.conformance.wast.verdict import Status, Verdict


@classes.frozen
class Entry:
    """One entry: the end of a path (a folder ends with ``/``), a line or all, and the reason.

    An ``outdated`` command asks for what the specification no longer says: it is not judged, whatever came of it.
    """

    file: str
    line: int | None
    reason: str
    outdated: bool = False

    def covers(self, path: str, line: int) -> bool:
        """Whether the command at this place is meant."""
        return (self.line is None or self.line == line) and within(path, self.file)

    @property
    def place(self) -> str:
        """File and line, for people."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


def within(path: str, end: str) -> bool:
    """Whether an absolute path ends with ``end``, or (``end`` ends with ``/``) lies in a folder of that name."""
    return f"/{end}" in f"{path}/" if end.endswith("/") else f"/{path}".endswith(f"/{end}")


def load() -> list[Entry]:
    """The list that comes with lindref."""
    return read(files("lindref.conformance.wast").joinpath("skips.toml").read_text(encoding="utf-8"))


def read(text: str) -> list[Entry]:
    """A list in TOML."""
    return [
        Entry(row["file"], row.get("line"), row["reason"], row.get("outdated", False))
        for row in tomllib.loads(text)["skip"]
    ]


def judge(verdict: Verdict, entries: list[Entry]) -> Verdict:
    """A skip that is not listed is a failure; one that is listed names the reason."""
    path = Path(verdict.file).resolve().as_posix()
    entry = next((e for e in entries if e.covers(path, verdict.line)), None)
    if entry is not None and entry.outdated:
        return classes.evolve(verdict, status=Status.SKIPPED, detail=entry.reason)
    if verdict.status is not Status.SKIPPED:
        return verdict
    if entry is None:
        return classes.evolve(verdict, status=Status.FAILED, detail=f"skipped, but not listed: {verdict.detail}")
    return classes.evolve(verdict, detail=f"{entry.reason}: {verdict.detail}")


def stale(entries: list[Entry], verdicts: list[Verdict]) -> list[Entry]:
    """The entries that name a file which was run, and in it nothing that was skipped.

    ``verdicts`` after ``judge``. Entries of whole folders are never stale: part of a folder may have been run.
    """
    places: dict[str, set[int]] = {}
    for verdict in verdicts:
        skipped = places.setdefault(Path(verdict.file).resolve().as_posix(), set())
        if verdict.status is Status.SKIPPED:
            skipped.add(verdict.line)
    return [
        entry
        for entry in entries
        if not entry.file.endswith("/")
        and any(within(path, entry.file) for path in places)
        and not any(entry.covers(path, line) for path, lines in places.items() for line in lines)
    ]
