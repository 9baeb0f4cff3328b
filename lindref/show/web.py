"""Sheets as HTML for notebooks: no script, colours that suit light and dark pages, everything escaped."""

from __future__ import annotations

from html import escape

from lindref.show.sheet import Cell, Lines, Part, Table

_STYLE = {
    "": "",
    "soft": "opacity:.65",
    "strong": "font-weight:600",
    "wrong": "color:#d93025",
    "grate": "color:#a142f4",
}
_LEFT = "text-align:left;vertical-align:top;padding:1px 12px 1px 0"
_MONO = "font-family:ui-monospace,monospace;font-size:92%"


def html_of(part: Part) -> str:
    """The part as one element."""
    return f'<div class="lindref">{_of(part, 0)}</div>'


def _of(part: Part, depth: int) -> str:
    weight = "font-weight:600;margin:2px 0" if depth == 0 else "margin:6px 0 2px;font-weight:500"
    head = f'<div style="{weight}">{escape(part.title)}</div>' if part.title else ""
    if isinstance(part, Table):
        return head + _table(part)
    if isinstance(part, Lines) and part.wraps:
        return head + "".join(f'<div style="margin:3px 0">{"".join(map(_piece, line))}</div>' for line in part.lines)
    if isinstance(part, Lines):
        shown = "\n".join("".join(map(_piece, line)) for line in part.lines)
        return f'{head}<pre style="{_MONO};line-height:1.45;margin:2px 0;background:none;overflow-x:auto">{shown}</pre>'
    return head + "".join(_of(below, depth + 1) for below in part.parts)


def _table(part: Table) -> str:
    names = "".join(f'<th style="{_LEFT};opacity:.65;font-weight:500">{escape(name)}</th>' for name in part.columns)
    rows = "".join(
        "<tr>" + "".join(f'<td style="{_LEFT}">{_piece(cell)}</td>' for cell in row) + "</tr>" for row in part.rows
    )
    head = f"<tr>{names}</tr>" if any(part.columns) else ""
    return f'<table style="border-collapse:collapse;margin:2px 0">{head}{rows}</table>'


def _piece(cell: Cell) -> str:
    inner = cell.text.lstrip(" ")
    text = "\u00a0" * (len(cell.text) - len(inner)) + escape(inner)
    style = ";".join(filter(None, (_STYLE[cell.style], _MONO if cell.mono else "")))
    return f'<span style="{style}">{text}</span>' if style else text
