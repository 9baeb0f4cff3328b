"""The statements: what is promised, in a sentence, and the function that tries it once with drawn data.

Numbers up to 51 are those of the facts about the real system (3i.md 9); T1 … are lindref's own. A function gets the
implementation in some reachable state (tables), or the implementation itself, and Hypothesis' ``data``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis.errors import UnsatisfiedAssumption

from lindref import classes

#: Number -> statement.
STATEMENTS: dict[str, Statement] = {}


class NotRelevant(UnsatisfiedAssumption):
    """To be raised by an implementation that cannot do what an example needs, or does not show what a statement looks
    at: the example says nothing about it. Raised by ``check`` where no example did. One line says why."""


@classes.frozen
class Statement:
    """A property: number, what it is about (``tables``, ``copies``, ``runs``), what it says, and how it is tried.

    ``looks_at``: what of a run it looks at besides calls with their results, output and status: ``routes`` (who served
    a call, with which arguments, for whom), ``order`` (of what several cages do), ``schedule`` (that can be given).
    ``unlike``: deviations with which it does not hold.
    """

    number: str
    subject: str
    text: str
    attempt: Callable[[Any, Any], None]
    looks_at: frozenset[str] = frozenset()
    unlike: frozenset[str] = frozenset()

    def why_not(self, implementation: Any) -> str:
        """Why it says nothing about an implementation, "" where it does: what that ``lacks``, or its ``deviations``."""
        lacks = sorted(self.looks_at & getattr(implementation, "lacks", frozenset()))
        differs = sorted(self.unlike & getattr(implementation, "deviations", frozenset()))
        if lacks:
            return f"{', '.join(lacks)} cannot be seen or given"
        return f"deviation {', '.join(differs)}" if differs else ""


def states(
    number: str, subject: str, text: str, *looks_at: str, unlike: tuple[str, ...] = ()
) -> Callable[[Callable[[Any, Any], None]], Callable[[Any, Any], None]]:
    """Enter a function as the attempt of a statement."""

    def enter(attempt: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        assert number not in STATEMENTS, number
        STATEMENTS[number] = Statement(number, subject, text, attempt, frozenset(looks_at), frozenset(unlike))
        return attempt

    return enter
