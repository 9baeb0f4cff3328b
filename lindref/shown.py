"""``Shown``: what an object needs to be looked at in a terminal, in rich and in a notebook.

What is to be seen is made in ``lindref.show``, which knows every part and is loaded when somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any


class Shown:
    """A base without state. ``str()`` gives plain text; rich and IPython find their own methods by name."""

    __slots__ = ()

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        # IPython takes the first class that has either this or a __repr__ of its own.
        cls._repr_pretty_ = Shown._repr_pretty_  # type: ignore[method-assign]

    def __str__(self) -> str:
        return str(_show().text(self))

    def _repr_html_(self) -> str:
        """For notebooks."""
        return str(_show().html(self))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """For IPython's terminal, and as the text of a notebook's output."""
        printer.text("…" if cycle else str(self))

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        yield from _show().renderables(self)


def _show() -> Any:
    """``lindref.show``, by name: it stands above everything that is shown."""
    return import_module("lindref.show")
