"""What is shown, before anybody decides how: sheets of tables, lines and further sheets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from lindref import classes

#: What a piece of text is: shown as is, quieter, as a heading's word, as a failure, as something a grate does.
STYLES = ("", "soft", "strong", "wrong", "grate")


@classes.frozen
class Cell:
    """A piece of text in one of ``STYLES``; ``mono``: its characters stand under each other."""

    text: str
    style: str = ""
    mono: bool = False


@classes.frozen
class Table:
    """Rows under the names of their columns."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@classes.frozen
class Lines:
    """Lines of a listing, each made of pieces; ``wraps``: sentences, which may be broken where there is no room."""

    title: str
    lines: tuple[tuple[Cell, ...], ...]
    wraps: bool = False


@classes.frozen
class Sheet:
    """A heading and what stands beneath it."""

    title: str
    parts: tuple[Part, ...] = ()


Part: TypeAlias = "Table | Lines | Sheet"


def cell(value: object, style: str = "", *, mono: bool = False) -> Cell:
    """Anything as a cell; nothing is a dash."""
    return value if isinstance(value, Cell) else Cell("–" if value in (None, "") else str(value), style, mono)


def table(title: str, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> Table:
    """A table of anything."""
    return Table(title, tuple(columns), tuple(tuple(cell(value) for value in row) for row in rows))


def lines(title: str, texts: Iterable[str | Sequence[Cell]]) -> Lines:
    """Lines of text, or of pieces."""
    return Lines(title, tuple((Cell(text),) if isinstance(text, str) else tuple(text) for text in texts))
