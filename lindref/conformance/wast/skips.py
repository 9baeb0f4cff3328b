"""The checked-in list of commands that may be skipped: nothing is skipped silently."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import attrs

from lindref.conformance.wast.verdict import Status, Verdict


@attrs.frozen
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
        if self.line is not None and self.line != line:
            return False
        return f"/{self.file}" in f"{path}/" if self.file.endswith("/") else f"/{path}".endswith(f"/{self.file}")


def load() -> list[Entry]:
    """The list that comes with lindref."""
    text = files("lindref.conformance.wast").joinpath("skips.toml").read_text(encoding="utf-8")
    return [
        Entry(row["file"], row.get("line"), row["reason"], row.get("outdated", False))
        for row in tomllib.loads(text)["skip"]
    ]


def judge(verdict: Verdict, entries: list[Entry]) -> Verdict:
    """A skip that is not listed is a failure; one that is listed names the reason."""
    path = Path(verdict.file).resolve().as_posix()
    entry = next((e for e in entries if e.covers(path, verdict.line)), None)
    if entry is not None and entry.outdated:
        return attrs.evolve(verdict, status=Status.SKIPPED, detail=entry.reason)
    if verdict.status is not Status.SKIPPED:
        return verdict
    if entry is None:
        return attrs.evolve(verdict, status=Status.FAILED, detail=f"skipped, but not listed: {verdict.detail}")
    return attrs.evolve(verdict, detail=f"{entry.reason}: {verdict.detail}")
