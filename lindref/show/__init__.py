"""How things look: ``text``, ``html`` and ``renderables`` (for rich) of whatever is ``lindref.shown.Shown``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from typing import Any

from lindref.show.parts import sheet_of
from lindref.show.plain import text_of
from lindref.show.terminal import rich_of
from lindref.show.web import html_of


def text(value: object) -> str:
    """Plain text."""
    return text_of(sheet_of(value))


def html(value: object) -> str:
    """One HTML element."""
    return html_of(sheet_of(value))


def renderables(value: object) -> Iterator[Any]:
    """What rich prints."""
    return rich_of(sheet_of(value))


def page(title: str, about: str, values: Iterable[object]) -> str:
    """A self-contained page that shows several things beside each other."""
    sections = "".join(f"<section>{html(value)}</section>" for value in values)
    parts = {"title": escape(title), "about": escape(about), "sections": sections}
    pieces = files("lindref.show").joinpath("page.html").read_text(encoding="utf-8").split("@@")
    return "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))
