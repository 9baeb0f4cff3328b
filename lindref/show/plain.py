"""Sheets as plain text."""

from __future__ import annotations

from lindref.show.sheet import Lines, Part, Table


def text_of(part: Part, indent: str = "") -> str:
    """The part as lines of text, without a line break at the end."""
    return "\n".join(_lines(part, indent))


def _lines(part: Part, indent: str) -> list[str]:
    head = [indent + part.title] if part.title else []
    inner = indent + "  " if part.title else indent
    if isinstance(part, Table):
        return head + [inner + line for line in _table(part)]
    if isinstance(part, Lines):
        return head + [inner + "".join(piece.text for piece in line) for line in part.lines]
    return head + [line for below in part.parts for line in _lines(below, inner)]


def _table(part: Table) -> list[str]:
    rows = [tuple(cell.text for cell in row) for row in part.rows]
    if any(part.columns):
        rows = [part.columns, *rows]
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(part.columns))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
