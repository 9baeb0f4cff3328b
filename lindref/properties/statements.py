"""The statements: what is promised, in a sentence, and the function that tries it once with drawn data.

Numbers up to 51 are those of the facts about the real system (3i.md 9); T1 … are lindref's own. A function gets the
implementation in some reachable state (tables), or the implementation itself, and Hypothesis' ``data``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lindref import classes

#: Number -> statement.
STATEMENTS: dict[str, Statement] = {}


@classes.frozen
class Statement:
    """A property: number, what it is about (``tables``, ``copies``, ``runs``), what it says, and how it is tried."""

    number: str
    subject: str
    text: str
    attempt: Callable[[Any, Any], None]


def states(number: str, subject: str, text: str) -> Callable[[Callable[[Any, Any], None]], Callable[[Any, Any], None]]:
    """Enter a function as the attempt of a statement."""

    def enter(attempt: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        assert number not in STATEMENTS, number
        STATEMENTS[number] = Statement(number, subject, text, attempt)
        return attempt

    return enter
