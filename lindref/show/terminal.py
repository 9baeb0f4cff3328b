"""Sheets as rich shows them; rich is there when this is asked for, for nobody else asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lindref.show.sheet import Cell, Lines, Part, Table

_STYLE = {"": "", "soft": "dim", "strong": "bold", "wrong": "red", "grate": "magenta"}


def rich_of(part: Part) -> Iterator[Any]:
    """The part as things that rich can print."""
    from rich.padding import Padding
    from rich.table import Table as RichTable
    from rich.text import Text

    if part.title and not isinstance(part, Table):
        yield Text(part.title, style="bold")
    if isinstance(part, Table):
        table = RichTable(
            title=part.title or None, title_justify="left", title_style="bold", box=None, pad_edge=False,
            show_header=any(part.columns),
        )  # fmt: skip
        for name in part.columns:
            table.add_column(name, header_style="dim", overflow="fold")
        for row in part.rows:
            table.add_row(*(_text(cell) for cell in row))
        yield table
    elif isinstance(part, Lines):
        for line in part.lines:
            yield Text.assemble(*((cell.text, _STYLE[cell.style]) for cell in line))
    else:
        for below in part.parts:
            for each in rich_of(below):
                yield Padding(each, (0, 0, 0, 2))


def _text(cell: Cell) -> Any:
    from rich.text import Text

    return Text(cell.text, style=_STYLE[cell.style])
