"""What a campaign has found so far, in a file: one line a case, so that it can go on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import lindref
from lindref.conformance.campaign.result import Result

_FORMAT = "lindref-campaign"


class ResumeError(Exception):
    """A file that another campaign wrote, or none; one line."""


class Progress:
    """Results in the file ``path``; ``about`` says which campaign they belong to. Raises ``ResumeError``.

    ``known`` has those that were there already, by case. A line that was cut off when a campaign was killed is
    forgotten; its case runs again.
    """

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self.path = path
        self.known: dict[str, Result] = {}
        head = {"format": _FORMAT, "version": lindref.__version__, **about}
        try:
            there = path.read_bytes() if path.exists() else b""
            whole = there[: there.rfind(b"\n") + 1]
            if whole:
                self._read(whole, head)
            self._file: IO[bytes] = path.open("r+b" if there else "wb")
            self._file.truncate(len(whole))
            self._file.seek(len(whole))
            if not whole:
                self._write(head)
        except OSError as error:
            raise ResumeError(f"{path}: {error.strerror}") from None

    def _read(self, whole: bytes, head: Mapping[str, Any]) -> None:
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = json.loads(line)
                if number == 1:
                    self._check(row, head)
                else:
                    result = Result.from_json(row)
                    self.known[result.case] = result
            except (ValueError, TypeError, KeyError, AttributeError):
                raise ResumeError(f"{self.path}:{number}: not the file of a campaign") from None

    def _check(self, row: Mapping[str, Any], head: Mapping[str, Any]) -> None:
        if row.get("format") != _FORMAT:
            raise ResumeError(f"{self.path}: not the file of a campaign")
        for key, value in head.items():
            if row.get(key) != value:
                raise ResumeError(f"{self.path}: of another campaign: {key} is {row.get(key)!r} there, {value!r} here")

    def _write(self, row: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")
        self._file.flush()

    def add(self, result: Result) -> None:
        """One more result."""
        self._write(result.as_json())

    def close(self) -> None:
        """No more results."""
        self._file.close()
