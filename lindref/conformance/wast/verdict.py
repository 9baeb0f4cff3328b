"""Verdicts: what came of one command of a script."""

from __future__ import annotations

import enum

from lindref import classes


class Status(enum.Enum):
    """Only assertions can pass; a command that merely has to succeed and does is ``OK`` and is not counted."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    OK = "ok"


def is_assertion(kind: str) -> bool:
    """Whether a command of this keyword is counted."""
    return kind.startswith("assert_")


@classes.frozen
class Verdict:
    """One command of file ``file``: ``kind`` is its keyword, ``detail`` says why it failed or was skipped."""

    file: str
    line: int
    kind: str
    status: Status
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.kind} {self.status.value}: {self.detail}"


class Failure(Exception):
    """A command did not do what it should; the message says what it did instead."""


class Skip(Exception):
    """A command cannot be run because of a feature that is not built; the message says which."""
